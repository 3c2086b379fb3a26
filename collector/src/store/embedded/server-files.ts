import { createHash } from 'node:crypto';

/** What the server's two XML files say; everything else is fixed. */
export interface ServerFiles {
  readonly httpPort: number;
  readonly tcpPort: number;
  readonly memoryMaxMb: number;
  /** Where the starting session is authenticated, see child.ts. */
  readonly gateUrl: string;
  readonly usersFile: string;
  readonly database: string;
  /** Servers on this machine, each a shard of the cluster `shards`. */
  readonly shards?: readonly Shard[] | undefined;
}

export interface Shard {
  readonly tcpPort: number;
  readonly password: string;
}

/**
 * The small profile: nothing that writes on its own (no system logs), few background threads that wake rarely, small
 * caches, a memory cap. Measured by bench/idle-clickhouse.ts.
 */
export function serverConfigXml(files: ServerFiles): string {
  return `<clickhouse>
  <logger><console>1</console></logger>
  <log-level>fatal</log-level>
  <timezone>UTC</timezone>
  <listen_host>127.0.0.1</listen_host>
  <http_port>${files.httpPort}</http_port>
  <tcp_port>${files.tcpPort}</tcp_port>
  <users_config>${escapeXml(files.usersFile)}</users_config>
  <http_authentication_servers>
    <gate>
      <uri>${escapeXml(files.gateUrl)}</uri>
      <connection_timeout_ms>5000</connection_timeout_ms>
      <receive_timeout_ms>5000</receive_timeout_ms>
      <send_timeout_ms>5000</send_timeout_ms>
      <max_tries>1</max_tries>
    </gate>
  </http_authentication_servers>
  <max_server_memory_usage>${files.memoryMaxMb * 1024 * 1024}</max_server_memory_usage>
  <mark_cache_size>16777216</mark_cache_size>
  <index_mark_cache_size>4194304</index_mark_cache_size>
  <index_uncompressed_cache_size>4194304</index_uncompressed_cache_size>
  <primary_index_cache_size>16777216</primary_index_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <mmap_cache_size>64</mmap_cache_size>
  <max_connections>128</max_connections>
  <max_concurrent_queries>32</max_concurrent_queries>
  <max_thread_pool_size>256</max_thread_pool_size>
  <max_thread_pool_free_size>8</max_thread_pool_free_size>
  <background_pool_size>2</background_pool_size>
  <background_move_pool_size>1</background_move_pool_size>
  <background_fetches_pool_size>1</background_fetches_pool_size>
  <background_common_pool_size>2</background_common_pool_size>
  <background_schedule_pool_size>4</background_schedule_pool_size>
  <background_message_broker_schedule_pool_size>1</background_message_broker_schedule_pool_size>
  <background_distributed_schedule_pool_size>1</background_distributed_schedule_pool_size>
  <tables_loader_background_pool_size>1</tables_loader_background_pool_size>
  <tables_loader_foreground_pool_size>2</tables_loader_foreground_pool_size>
  <memory_worker_period_ms>2000</memory_worker_period_ms>
  <memory_worker_decay_adjustment_period_ms>60000</memory_worker_decay_adjustment_period_ms>
  <asynchronous_metrics_update_period_s>3600</asynchronous_metrics_update_period_s>
  <asynchronous_heavy_metrics_update_period_s>86400</asynchronous_heavy_metrics_update_period_s>
  <global_profiler_real_time_period_ns>0</global_profiler_real_time_period_ns>
  <global_profiler_cpu_time_period_ns>0</global_profiler_cpu_time_period_ns>
  <merge_tree>
    <number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
    <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
  </merge_tree>
${shardsXml(files.shards ?? [])}</clickhouse>
`;
}

function shardsXml(shards: readonly Shard[]): string {
  if (shards.length === 0) return '';
  const replicas = shards.map(
    ({ tcpPort, password }) => `<shard><replica>
      <host>127.0.0.1</host><port>${tcpPort}</port><user>spanwarden</user><password>${escapeXml(password)}</password>
    </replica></shard>`,
  );
  return `  <remote_servers><shards>
    ${replicas.join('\n    ')}
  </shards></remote_servers>
`;
}

export interface Accounts {
  readonly collectorPassword: string;
  readonly grafanaPassword: string;
  /** Whether the collector's account may make tables over other servers. */
  readonly isShard?: boolean;
  readonly memoryMaxMb: number;
  readonly database: string;
}

/**
 * Three accounts. `default` exists because the server's own starting session must be it: it may open the listeners and
 * read system.numbers, and its sign-in goes through the gate, which lets nobody in after that session. `spanwarden` is
 * the collector, `grafana` reads the collector's database and nothing else.
 *
 * Grants do not cover the scalar function `file`, which reads any path in this mode; child.ts takes it away from everyone.
 */
export function usersXml(accounts: Accounts): string {
  const { database } = accounts;
  return `<clickhouse>
${profilesXml(accounts.memoryMaxMb)}
  <quotas><default/></quotas>
  <users>
    <default>
      <http_authentication><server>gate</server><scheme>basic</scheme></http_authentication>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT SYSTEM LISTEN ON *.*</query>
        <query>GRANT SELECT ON system.numbers</query>
      </grants>
    </default>
    <spanwarden>
      <password_sha256_hex>${sha256Hex(accounts.collectorPassword)}</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT ALL ON ${database}.*</query>
        <query>GRANT SELECT ON system.*</query>
        <query>GRANT SHOW ON *.*</query>
        <query>GRANT TABLE ENGINE ON *</query>${accounts.isShard ? '\n        <query>GRANT REMOTE ON *.*</query>' : ''}
      </grants>
    </spanwarden>
    <grafana>
      <password_sha256_hex>${sha256Hex(accounts.grafanaPassword)}</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>reader</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT SELECT ON ${database}.*</query>
      </grants>
    </grafana>
  </users>
</clickhouse>
`;
}

/** What each kind of account may use; a reader may change only what Grafana's queries need, within bounds. */
function profilesXml(memoryMaxMb: number): string {
  const readerMemoryBytes = Math.floor((memoryMaxMb * 1024 * 1024) / 2);
  return `  <profiles>
    <default>
      <max_threads>2</max_threads>
      <max_insert_threads>1</max_insert_threads>
      <load_balancing>in_order</load_balancing>
      <log_queries>0</log_queries>
      <query_profiler_real_time_period_ns>0</query_profiler_real_time_period_ns>
      <query_profiler_cpu_time_period_ns>0</query_profiler_cpu_time_period_ns>
      <allow_introspection_functions>0</allow_introspection_functions>
      <implicit_select>0</implicit_select>
    </default>
    <reader>
      <profile>default</profile>
      <readonly>1</readonly>
      <allow_ddl>0</allow_ddl>
      <allow_introspection_functions>0</allow_introspection_functions>
      <implicit_select>0</implicit_select>
      <max_execution_time>60</max_execution_time>
      <max_memory_usage>${readerMemoryBytes}</max_memory_usage>
      <max_memory_usage_for_user>${readerMemoryBytes}</max_memory_usage_for_user>
      <max_concurrent_queries_for_user>16</max_concurrent_queries_for_user>
      <max_result_rows>1000000</max_result_rows>
      <max_result_bytes>268435456</max_result_bytes>
      <result_overflow_mode>throw</result_overflow_mode>
      <constraints>
        <max_execution_time><min>1</min><max>300</max><changeable_in_readonly/></max_execution_time>
        <limit><changeable_in_readonly/></limit>
        <additional_table_filters><changeable_in_readonly/></additional_table_filters>
      </constraints>
    </reader>
  </profiles>`;
}

function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
