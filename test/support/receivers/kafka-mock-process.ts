// The process of kafka-mock.ts: librdkafka's mock cluster, whose functions are called as they come over the channel. Real Kafka protocol on loopback,
// in memory. Ends with its parent.
import process from 'node:process';
import { DataType, load, open } from 'ffi-rs';

const { External, I16, I32, I32Array, String: Text, U64, U8Array, Void } = DataType;
const library = 'rdkafka';
const producer = 0;
const errorBytes = 512;

export type MockCall =
  | { readonly name: 'createTopic'; readonly topic: string; readonly partitions: number }
  | { readonly name: 'failRequests'; readonly api: number; readonly codes: readonly number[] }
  | { readonly name: 'failTopic'; readonly topic: string; readonly code: number }
  | { readonly name: 'setLeader'; readonly topic: string; readonly partition: number; readonly broker: number }
  | { readonly name: 'setDown' | 'setUp'; readonly broker: number }
  | { readonly name: 'delay'; readonly broker: number; readonly ms: number };

const [path = '', brokers = '3'] = process.argv.slice(2);
open({ library, path });
const conf = invoke('rd_kafka_conf_new', External, [], []);
const types = [I32, External, U8Array, U64];
const handle = invoke('rd_kafka_new', External, types, [producer, conf, Buffer.alloc(errorBytes), errorBytes]);
const cluster = invoke('rd_kafka_mock_cluster_new', External, [External, I32], [handle, Number(brokers)]);
process.on('message', (call: MockCall) => {
  run(call);
  process.send?.('done');
});
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.send?.(invoke('rd_kafka_mock_cluster_bootstraps', Text, [External], [cluster]));

function run(call: MockCall): void {
  const on = (name: string, types: DataType[], values: unknown[], gives: DataType = I32) =>
    invoke(`rd_kafka_mock_${name}`, gives, [External, ...types], [cluster, ...values]);
  switch (call.name) {
    case 'createTopic':
      return void on('topic_create', [Text, I32, I32], [call.topic, call.partitions, 1]);
    case 'failRequests':
      return void on(
        'push_request_errors_array',
        [I16, U64, I32Array],
        [call.api, call.codes.length, call.codes],
        Void,
      );
    case 'failTopic':
      return void on('topic_set_error', [Text, I32], [call.topic, call.code], Void);
    case 'setLeader':
      return void on('partition_set_leader', [Text, I32, I32], [call.topic, call.partition, call.broker]);
    case 'setDown':
      return void on('broker_set_down', [I32], [call.broker]);
    case 'setUp':
      return void on('broker_set_up', [I32], [call.broker]);
    case 'delay':
      return void on('broker_set_rtt', [I32, I32], [call.broker, call.ms]);
  }
}

function invoke(funcName: string, retType: DataType, paramsType: DataType[], paramsValue: unknown[]): unknown {
  return load({ library, funcName, retType: retType as never, paramsType: paramsType as never, paramsValue });
}
