#!/bin/sh
# Makes what is secret, the accounts of ClickHouse and Grafana's files, into the volumes of docker-compose.yml. Run again it keeps what is
# secret and renews the rest. Each file can be read by whoever has the volume: the containers have users of their own.
set -eu
umask 022
setup=${SETUP_DIR:-/setup}

secret() {
  [ -s "$1" ] && return
  node -p "require('node:crypto').randomBytes(32).toString('base64url')" > "$1.new"
  mv "$1.new" "$1"
}

sha256() {
  node -p "require('node:crypto').createHash('sha256').update(require('node:fs').readFileSync(process.argv[1], 'utf8').trim()).digest('hex')" "$1"
}

secret "$setup/collector/token"
secret "$setup/collector/clickhouse-password"
secret "$setup/grafana/admin-password"

spanwarden grafana init "$setup/grafana" --force --host clickhouse --port 8123 --no-secure \
  --dashboards-path /etc/spanwarden-grafana/dashboards --password-file /etc/spanwarden-grafana/clickhouse-password
chmod 0644 "$setup/grafana/clickhouse-password"

# What docs/clickhouse.md says the collector needs, and nothing else.
cat > "$setup/clickhouse/collector.xml" <<XML
<clickhouse>
  <users>
    <collector>
      <password_sha256_hex>$(sha256 "$setup/collector/clickhouse-password")</password_sha256_hex>
      <networks><ip>::/0</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT CREATE, ALTER, DROP, SELECT, INSERT ON spanwarden.*</query>
        <query>GRANT TABLE ENGINE ON *</query>
        <query>GRANT SELECT ON system.tables</query>
        <query>GRANT SELECT ON system.columns</query>
      </grants>
    </collector>
  </users>
</clickhouse>
XML
cp "$setup/grafana/clickhouse-account.xml" "$setup/clickhouse/grafana.xml"
