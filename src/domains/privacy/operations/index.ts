// The operations of this domain, in the order tools are listed.
import { gdprDeleteUserData } from './gdpr_delete_user_data.ts';
import { gdprExportUserData } from './gdpr_export_user_data.ts';
import { placeLegalHold } from './place_legal_hold.ts';
import { releaseLegalHold } from './release_legal_hold.ts';

export const privacyOperations = [gdprExportUserData, gdprDeleteUserData, placeLegalHold, releaseLegalHold] as const;
