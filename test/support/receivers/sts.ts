import type { Answer, Received } from './receiver.ts';
import { json } from './receiver.ts';
import { aws, type S3Receiver } from './s3.ts';
import { AwsRefusal, authenticated, xml } from './sigv4.ts';

/** Who may take on which role, and with what. */
export const role = {
  arn: 'arn:aws:iam::123456789012:role/AmazonSecurityLake-Provider-spanwarden-eu-central-1',
  externalId: 'spanwarden-external-id',
  webToken: 'eyJhbGciOiJSUzI1NiJ9.web-identity-token.signature',
  containerToken: 'container-authorization-token',
  instance: 'collector-role',
} as const;

const rolesPath = '/latest/meta-data/iam/security-credentials/';
const tokenPath = '/latest/api/token';

/** Where what stands beside the bucket is found. */
export const stsPaths: readonly string[] = ['/', '/container', tokenPath, rolesPath, rolesPath + role.instance];

/** The secret of a session: sessions end, and belong to one key and one token. */
export function sessionOf({ ended }: S3Receiver, id: string, token: string | undefined): string | undefined {
  const [, number] = /^ASIASESSION(\d+)$/.exec(id) ?? [];
  if (number === undefined || token !== `session-token-${number}==`) return undefined;
  if (ended.has(token)) throw new AwsRefusal(400, 'ExpiredToken');
  return `session-secret-${number}`;
}

/** STS, the credentials of a container, and the metadata service of an instance. */
export function sts(receiver: S3Receiver, received: Received): Answer {
  try {
    if (received.path === '/' && received.method === 'POST') return assumed(receiver, received);
    if (received.path === '/container' && received.method === 'GET') {
      if (received.headers.authorization !== role.containerToken) return json(401, { message: 'no such token' });
      return json(200, credentialsOf(receiver));
    }
    return metadata(receiver, received);
  } catch (refusal) {
    if (!(refusal instanceof AwsRefusal)) throw refusal;
    return refusal.answer;
  }
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
function assumed(receiver: S3Receiver, received: Received): Answer {
  const form = new URLSearchParams(received.body.toString());
  const action = form.get('Action');
  if (form.get('Version') !== '2011-06-15') throw new AwsRefusal(400, 'InvalidAction');
  if (action === 'AssumeRole') {
    authenticated(received, {
      ...{ region: aws.region, service: 'sts', nowMs: receiver.nowMs },
      secretOf: (id, token) => (id === aws.accessKeyId ? aws.secretAccessKey : sessionOf(receiver, id, token)),
    });
    if (form.get('ExternalId') !== role.externalId) throw new AwsRefusal(403, 'AccessDenied');
  } else if (form.get('WebIdentityToken') !== role.webToken) throw new AwsRefusal(400, 'InvalidIdentityToken');
  if (form.get('RoleArn') !== role.arn || !/^[\w+=,.@-]{2,64}$/.test(form.get('RoleSessionName') ?? '')) {
    throw new AwsRefusal(403, 'AccessDenied');
  }
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = credentialsOf(receiver);
  return {
    code: 200,
    headers: { 'content-type': 'text/xml' },
    body: `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials><AccessKeyId>${AccessKeyId}</AccessKeyId><SecretAccessKey>${SecretAccessKey}</SecretAccessKey><SessionToken>${Token}</SessionToken><Expiration>${Expiration}</Expiration></Credentials></${action}Result></${action}Response>`,
  };
}

/** Version 2: nothing without a token that a PUT gave. */
function metadata(receiver: S3Receiver, { method, path, headers }: Received): Answer {
  if (method === 'PUT' && path === tokenPath) {
    return headers['x-aws-ec2-metadata-token-ttl-seconds'] === '60' ? { code: 200, body: 'imds-token' } : { code: 400 };
  }
  if (headers['x-aws-ec2-metadata-token'] !== 'imds-token') return { code: 401 };
  if (!receiver.hasRole) return { code: 404, body: xml('NotFound') };
  if (path === rolesPath) return { code: 200, body: `${role.instance}\n` };
  return path === rolesPath + role.instance ? json(200, credentialsOf(receiver)) : { code: 404, body: xml('NotFound') };
}

function credentialsOf(receiver: S3Receiver) {
  receiver.given += 1;
  return {
    AccessKeyId: `ASIASESSION${receiver.given}`,
    SecretAccessKey: `session-secret-${receiver.given}`,
    Token: `session-token-${receiver.given}==`,
    Expiration: new Date(receiver.nowMs + 3_600_000).toISOString().replace(/\.\d+/, ''),
  };
}
