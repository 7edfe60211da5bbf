// Every bound of the product in one place. Units come last in the name.

const KIB = 1024;
const MIB = 1024 * KIB;
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;

export const limits = {
  /** One memory's content. Longer material belongs in an import, which splits it. */
  content_length_max_chars: 100_000,
  context_length_max_chars: 4_000,
  query_length_max_chars: 4_000,
  name_length_max_chars: 200,
  id_length_max_chars: 128,
  tags_max_count: 64,
  tag_length_max_chars: 100,
  metadata_size_max_bytes: 32 * KIB,
  json_depth_max_levels: 32,
  reason_length_max_chars: 1_000,

  page_default_items: 20,
  page_max_items: 500,
  search_depth_max_items: 1_000,
  bulk_max_items: 10_000,
  duplicates_max_items: 500,
  answer_tokens_default: 8_000,
  answer_tokens_max: 100_000,

  request_body_max_bytes: 4 * MIB,
  import_body_max_bytes: 256 * MIB,
  stdio_line_max_bytes: 10 * MIB,
  conversation_length_max_chars: 2_000_000,

  soft_delete_retention_ms: 30 * DAY_MS,
  agent_session_idle_ms: 30 * MINUTE_MS,
  agent_session_retention_ms: 30 * DAY_MS,
  shutdown_grace_ms: 10 * SECOND_MS,
  store_busy_timeout_ms: 10 * SECOND_MS,
  hub_probe_timeout_ms: 1 * SECOND_MS,

  http_headers_timeout_ms: 10 * SECOND_MS,
  http_request_timeout_ms: 60 * SECOND_MS,
  http_keep_alive_timeout_ms: 72 * SECOND_MS,
  mcp_sessions_max_count: 512,
  mcp_session_idle_ms: 60 * MINUTE_MS,
  mcp_sessions_stored_max_count: 4_096,
  mcp_session_touch_interval_ms: MINUTE_MS,
  resource_uri_length_max_chars: 1_000,
  mcp_relay_timeout_ms: 5 * SECOND_MS,
  sse_keep_alive_ms: 15 * SECOND_MS,
  event_streams_per_user_max_count: 64,

  coordination_connect_timeout_ms: 3 * SECOND_MS,
  coordination_command_timeout_ms: 2 * SECOND_MS,
  coordination_ping_interval_ms: 3 * SECOND_MS,
  coordination_keep_alive_ms: 10 * SECOND_MS,
  coordination_retry_min_ms: 200,
  coordination_retry_max_ms: 10 * SECOND_MS,
  coordination_queue_max_commands: 20_000,
  presence_refresh_ms: 5 * SECOND_MS,
  presence_ttl_ms: 15 * SECOND_MS,
  rate_limit_keys_max_count: 10_000,
  shared_cache_change_max_ms: 10 * SECOND_MS,
  shared_cache_ticket_ms: 10 * SECOND_MS,
  shared_cache_settle_ms: 20 * SECOND_MS,
  shared_cache_changing_ttl_max_ms: 60 * SECOND_MS,
  shared_cache_missed_keys_max_count: 10_000,
  shared_cache_memory_max_bytes: 16 * MIB,
  relayed_message_retention_ms: MINUTE_MS,
  query_embedding_ttl_ms: DAY_MS,

  credential_recheck_interval_ms: 10 * SECOND_MS,

  teams_per_user_max_count: 200,
  team_members_max_count: 1_000,
  team_invitation_ttl_ms: 7 * DAY_MS,
  team_activity_retention_ms: 90 * DAY_MS,

  token_length_max_chars: 8 * KIB,
  token_life_default_days: 90,
  token_life_max_days: 366,
  token_life_max_ms: 366 * DAY_MS,
  /** `nbf` may lie so far ahead; `exp` has no tolerance. */
  token_clock_tolerance_ms: MINUTE_MS,
  /** Made later than this from now: the clocks of two machines differ. */
  token_clock_skew_max_ms: 5 * MINUTE_MS,
  issuer_keys_timeout_ms: 3 * SECOND_MS,
  issuer_keys_cooldown_ms: 30 * SECOND_MS,
  issuer_keys_max_age_ms: 10 * MINUTE_MS,
  tailscale_timeout_ms: 1 * SECOND_MS,
  tailscale_cache_ms: 5 * SECOND_MS,
  tailscale_cache_max_count: 1_000,
  tailscale_answer_max_bytes: 256 * KIB,
  turned_away_window_ms: MINUTE_MS,
  turned_away_max_count: 200,

  agent_presence_ttl_ms: 5 * MINUTE_MS,
  agent_active_ms: MINUTE_MS,
  agent_heartbeat_flush_ms: 5 * SECOND_MS,
  agent_capabilities_max_count: 64,
  agent_message_ttl_ms: 7 * DAY_MS,
  agent_inbox_max_count: 1_000,
  agent_answer_timeout_max_ms: 2 * MINUTE_MS,

  learning_attempts_max_count: 8,

  task_text_length_max_chars: 20_000,
  task_dependencies_max_count: 200,
  task_depth_max_levels: 8,
  task_analytics_days_max: 366,
  task_lease_default_seconds: 15 * 60,
  task_lease_max_seconds: DAY_MS / SECOND_MS,

  health_evidence_max_ids: 20,
  health_cycles_min_count: 5,
  health_trend_max_checks: 10,
  health_window_default_days: 30,
  health_window_max_days: 366,
  brief_tokens_default: 2_000,
  brief_tokens_min: 300,
  brief_tasks_max_count: 200,
  brief_items_max_count: 20,

  vault_value_max_bytes: 64 * KIB,
  vault_grants_max_count: 500,
  vault_data_keys_cached_max_count: 100,
  vault_data_keys_cached_ms: MINUTE_MS,
  vault_audit_hours_max: 10 * 366 * 24,
  keyring_answer_timeout_ms: 30 * SECOND_MS,
} as const;
