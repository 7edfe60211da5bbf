// The mode operations in the order tools are listed.
import { getMode } from './get_mode.ts';
import { listAvailableModes } from './list_available_modes.ts';
import { setMode } from './set_mode.ts';

export const modeOperations = [getMode, setMode, listAvailableModes] as const;
