// The bounds of an import. They keep memory flat whatever the file holds; units come last in the name.

const MIB = 1024 * 1024;

export const importBounds = {
  /** A session line carries pasted images as base64, so lines of some megabytes are normal. */
  line_length_max_chars: 32 * MIB,
  /** One conversation of an export, which is held in memory while its path is walked. */
  entry_size_max_bytes: 128 * MIB,
  /** A JSON document that is no array is parsed as one. */
  document_size_max_chars: 64 * MIB,
  markdown_size_max_chars: 8 * MIB,
  json_depth_max_levels: 64,
  /** Read ahead to recognise the format. */
  head_size_max_bytes: 64 * 1024,

  /** Longer turns are split: the size of a long answer, still readable in a search result. */
  turn_length_max_chars: 8_000,
  /** A document up to this length stays one memory; longer ones are split at their headings. */
  section_length_max_chars: 4_000,
  summary_length_max_chars: 8_000,
  title_length_max_chars: 160,
  attachment_length_max_chars: 40_000,

  tool_calls_per_turn_max_count: 20,
  tool_input_length_max_chars: 200,
  tool_result_length_max_chars: 200,
  tool_error_length_max_chars: 600,

  nodes_per_conversation_max_count: 200_000,
  open_sessions_max_count: 256,
  open_chains_max_count: 64,
  line_types_max_count: 64,
  problems_reported_max_count: 1_000,
  folder_files_max_count: 100_000,
  folder_depth_max_levels: 32,
  archive_entries_max_count: 10_000,
  archive_entry_size_max_bytes: 4_096 * MIB,
} as const;
