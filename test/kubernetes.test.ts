import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { loadConfig } from '../collector/src/config/load.ts';
import { memoryBytes } from '../collector/src/memory-limit/config.ts';
import { parseListen } from '../collector/src/receive/config.ts';
import { repositoryRoot } from '../scripts/repository.ts';

// What can be said of the manifests without a cluster and without Kubernetes' schemas; docs/deploy.md has the commands for those.

const folder = join(repositoryRoot, 'deploy/kubernetes');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

// biome-ignore lint/suspicious/noExplicitAny: what is asserted of it below is its type
type Manifest = any;

const kustomization: Manifest = parse(read('kustomization.yaml'));
const manifests: Manifest[] = (kustomization.resources as string[]).flatMap((name) =>
  parseAllDocuments(read(name)).map((document) => document.toJS()),
);
const of = (kind: string, name = 'spanwarden'): Manifest =>
  manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
const pod: Manifest = of('StatefulSet').spec.template;
const [container]: Manifest[] = pod.spec.containers;

test('every selector is that of the pods, and nothing changes selectors', () => {
  const { labels } = pod.metadata;
  for (const selector of [
    of('StatefulSet').spec.selector.matchLabels,
    of('Service').spec.selector,
    of('Service', 'spanwarden-pods').spec.selector,
    of('PodDisruptionBudget').spec.selector.matchLabels,
    of('NetworkPolicy').spec.podSelector.matchLabels,
  ]) {
    assert.deepEqual(selector, labels);
  }
  assert.doesNotMatch(read('kustomization.yaml'), /includeSelectors|commonLabels|namePrefix/);
  assert.equal(of('StatefulSet').spec.serviceName, 'spanwarden-pods');
});

test('ports by name are those of the container, and it listens at them', () => {
  const ports = new Map<string, number>(
    container.ports.map(({ name, containerPort }: Manifest) => [name, containerPort]),
  );
  const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe];
  const services = manifests.filter(({ kind }) => kind === 'Service').flatMap(({ spec }) => spec.ports);
  const policy = of('NetworkPolicy').spec.ingress.flatMap(({ ports: each }: Manifest) => each);
  const named = [
    ...probes.map(({ httpGet }) => httpGet.port),
    ...services.map(({ targetPort }) => targetPort),
    ...policy.map(({ port }: Manifest) => port),
  ];
  for (const name of named) assert.ok(ports.has(name), name);
  const { receive } = parse(read('spanwarden.yaml'));
  const listening = [receive.grpc.listen, receive.http.listen].map((listen) => parseListen(listen).port);
  assert.deepEqual([...ports.values()], listening);
});

test('volumes are mounted, and the config says where', () => {
  const volumes = [
    ...pod.spec.volumes,
    ...of('StatefulSet').spec.volumeClaimTemplates.map((claim: Manifest) => claim.metadata),
  ];
  const mounts = new Map<string, string>(
    container.volumeMounts.map(({ name, mountPath }: Manifest) => [name, mountPath]),
  );
  assert.deepEqual([...mounts.keys()].sort(), volumes.map(({ name }) => name).sort());
  const text = read('spanwarden.yaml');
  assert.match(text, new RegExp(`^data_dir: ${mounts.get('data')}$`, 'm'));
  const { items } = pod.spec.volumes.find(({ name }: Manifest) => name === 'secrets').secret;
  const wanted = [...text.matchAll(/\$\{file:([^}]+)\}/g)].map(([, path]) => path);
  assert.deepEqual(wanted.sort(), items.map(({ path }: Manifest) => `${mounts.get('secrets')}/${path}`).sort());
  const [generated] = kustomization.configMapGenerator;
  assert.equal(generated.name, pod.spec.volumes.find(({ name }: Manifest) => name === 'config').configMap.name);
});

test('it has no rights, and cannot change its image', () => {
  const { runAsNonRoot, runAsUser, seccompProfile } = pod.spec.securityContext;
  assert.deepEqual([runAsNonRoot, runAsUser, seccompProfile.type], [true, 1000, 'RuntimeDefault']);
  const { allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities } = container.securityContext;
  assert.deepEqual([allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities], [false, true, { drop: ['ALL'] }]);
  assert.equal(pod.spec.automountServiceAccountToken, false);
  assert.equal(of('ServiceAccount').metadata.name, pod.spec.serviceAccountName);
});

test('image and version are those of the package', () => {
  const { version } = JSON.parse(readFileSync(join(repositoryRoot, 'collector/package.json'), 'utf8'));
  const [image] = kustomization.images;
  assert.deepEqual([container.image, image.name, String(image.newTag)], ['spanwarden', 'spanwarden', version]);
});

test('the config is right, and fits memory and disk of the pod', () => {
  const directory = mkdtempSync(join(tmpdir(), 'spanwarden-kubernetes-'));
  try {
    const secrets = join(directory, 'secrets');
    mkdirSync(secrets);
    for (const name of ['token', 'clickhouse-password']) writeFileSync(join(secrets, name), 'x'.repeat(43));
    const file = join(directory, 'spanwarden.yaml');
    writeFileSync(file, read('spanwarden.yaml').replaceAll('/run/spanwarden', secrets));
    const config = loadConfig({ file, env: {} });
    const mebibytes = (quantity: string) => Number(/^(\d+)Mi$/.exec(quantity)?.[1]) * 2 ** 20;
    assert.ok(memoryBytes(config.limits.memory) * 1.25 < mebibytes(container.resources.limits.memory));
    const [claim] = of('StatefulSet').spec.volumeClaimTemplates;
    const gibibytes = Number(/^(\d+)Gi$/.exec(claim.spec.resources.requests.storage)?.[1]);
    assert.ok(config.spool.bytes_max * 1.5 < gibibytes * 2 ** 30);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
