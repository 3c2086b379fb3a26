import { readFileSync, statSync } from 'node:fs';
import { limits } from '../../model/limits.ts';
import type { HttpClient, HttpFailure, HttpRequest } from '../http/client.ts';
import type { Access } from '../http/destination.ts';
import { jsonOf } from '../http/json.ts';
import { type Grant, misconfigured, Renewed } from '../http/renewed.ts';
import { element, failureOf, isExpired } from './answers.ts';
import { type AwsCredentials, type Scope, signedHeaders } from './signature.ts';

/** Where credentials come from. */
export interface CredentialSource {
  get(signal: AbortSignal): Promise<{ readonly status: 'ok'; readonly value: AwsCredentials } | HttpFailure>;
  /** They were not taken any more. */
  drop(value: AwsCredentials): void;
}

/** What sources share: a client, and milliseconds since the epoch. */
export interface CredentialContext {
  readonly client: HttpClient;
  now(): number;
}

/** Credentials that the config holds. */
export function fixedCredentials(credentials: AwsCredentials): CredentialSource {
  return { get: async () => ({ status: 'ok', value: credentials }), drop: () => undefined };
}

export interface RoleOptions {
  readonly stsUrl: URL;
  readonly region: string;
  readonly roleArn: string;
  readonly externalId?: string | undefined;
}

/** Seconds that credentials of a role last; every role allows an hour. */
const roleSeconds = '3600';
const sessionName = 'spanwarden';
const stsVersion = '2011-06-15';

/** Credentials of a role that other credentials may take on. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
export function roleCredentials(
  base: CredentialSource,
  role: RoleOptions,
  context: CredentialContext,
): CredentialSource {
  return renewed(context, inXml, async (signal) => {
    const given = await base.get(signal);
    if (given.status === 'failed') return given;
    const request = stsRequest(role, { Action: 'AssumeRole', ...(role.externalId && { ExternalId: role.externalId }) });
    const scope: Scope = { service: 'sts', region: role.region };
    return { ...request, headers: signedHeaders(request, given.value, scope, context.now()) };
  });
}

/**
 * Credentials of a role that the bearer of a token may take on, as pods of Kubernetes have one. The file is read each time, because
 * such tokens are exchanged. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export function webIdentityCredentials(
  tokenFile: string,
  role: RoleOptions,
  context: CredentialContext,
): CredentialSource {
  return renewed(context, inXml, async () => {
    const token = tokenIn(tokenFile);
    if (typeof token !== 'string') return token;
    context.client.hide('web identity token', token);
    return stsRequest(role, { Action: 'AssumeRoleWithWebIdentity', WebIdentityToken: token });
  });
}

function stsRequest({ stsUrl, roleArn }: RoleOptions, more: Readonly<Record<string, string>>): HttpRequest {
  const form = {
    ...more,
    Version: stsVersion,
    RoleArn: roleArn,
    RoleSessionName: sessionName,
    DurationSeconds: roleSeconds,
  };
  return {
    url: stsUrl,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(new URLSearchParams(form).toString()),
    gzip: false,
  };
}

/**
 * Credentials that the surroundings of a container give, in ECS and with Pod Identity in EKS.
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
export function containerCredentials(
  url: URL,
  tokenFile: string | undefined,
  context: CredentialContext,
): CredentialSource {
  return renewed(context, inJson, async () => {
    const token = tokenFile === undefined ? undefined : tokenIn(tokenFile);
    if (typeof token === 'object') return token;
    if (token !== undefined) context.client.hide('container token', token);
    return get(url, token === undefined ? {} : { authorization: token });
  });
}

/** Seconds that a token for the metadata service is for. */
const metadataSeconds = '60';

/**
 * Credentials of the role of an EC2 instance, version 2 of its metadata service.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
 */
export function instanceCredentials(origin: URL, context: CredentialContext): CredentialSource {
  const rolesPath = '/latest/meta-data/iam/security-credentials/';
  const ask = async (request: HttpRequest, signal: AbortSignal): Promise<string | HttpFailure> => {
    const answer = await context.client.send(request, signal);
    if (answer.status === 'failed') return answer;
    if (answer.code === 200) return answer.text.trim();
    const outcome = failureOf(answer, context.now());
    if (outcome.status === 'retryable') return { status: 'failed', outcome };
    const what = `no credentials from ${answer.host}: HTTP ${answer.code}; has the instance a role?`;
    return misconfigured(answer.show(what));
  };
  return renewed(context, inJson, async (signal) => {
    const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': metadataSeconds };
    const token = await ask({ ...get(new URL('/latest/api/token', origin), headers), method: 'PUT' }, signal);
    if (typeof token !== 'string') return token;
    const admitted = { 'x-aws-ec2-metadata-token': token };
    const role = await ask(get(new URL(rolesPath, origin), admitted), signal);
    if (typeof role !== 'string') return role;
    if (!/^[\w+=,.@-]{1,128}$/.test(role)) return misconfigured(`the instance at ${origin.host} has no role`);
    return get(new URL(rolesPath + role, origin), admitted);
  });
}

function get(url: URL, headers: Readonly<Record<string, string>>): HttpRequest {
  return { method: 'GET', url, headers, body: Buffer.alloc(0), gzip: false };
}

/** Requests are signed with what a source gives. */
export function signing(source: CredentialSource, scope: Scope, now: () => number): Access {
  return {
    admit: async (request, signal) => {
      const given = await source.get(signal);
      if (given.status === 'failed') return given;
      const headers = signedHeaders(request, given.value, scope, now());
      return { status: 'ok', request: { ...request, headers }, drop: () => source.drop(given.value) };
    },
    isOver: isExpired,
  };
}

function renewed(
  { client, now }: CredentialContext,
  members: (text: string) => Members,
  request: (signal: AbortSignal) => Promise<HttpRequest | HttpFailure>,
): CredentialSource {
  return new Renewed({
    ...{ client, now, request, what: 'AWS credentials' },
    read: (text) => grantOf(members(text), now()),
    outcome: failureOf,
  });
}

/** What an answer has under the names that AWS gives to the parts of credentials. */
type Members = Readonly<Record<'AccessKeyId' | 'SecretAccessKey' | 'SessionToken' | 'Expiration', unknown>>;

function inXml(text: string): Members {
  const of = (name: string): string => element(text, name);
  return {
    AccessKeyId: of('AccessKeyId'),
    SecretAccessKey: of('SecretAccessKey'),
    SessionToken: of('SessionToken'),
    Expiration: of('Expiration'),
  };
}

function inJson(text: string): Members {
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = jsonOf(text) ?? {};
  return { AccessKeyId, SecretAccessKey, SessionToken: Token, Expiration };
}

function grantOf(members: Members, now: number): Grant<AwsCredentials> | undefined {
  const {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
    Expiration,
  } = members;
  if (!isToken(accessKeyId) || !isToken(secretAccessKey) || !isToken(sessionToken)) return undefined;
  return {
    value: { accessKeyId, secretAccessKey, sessionToken },
    lifetimeMs: Date.parse(String(Expiration)) - now,
    secrets: { 'secret access key': secretAccessKey, 'session token': sessionToken },
  };
}

function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]{1,16384}$/.test(value);
}

/** A token that others write into a file. */
function tokenIn(file: string): string | HttpFailure {
  try {
    if (statSync(file).size > limits.exportTokenFileBytesMax) throw new Error('is too large');
    const token = readFileSync(file, 'utf8').trim();
    return isToken(token) ? token : misconfigured(`${file} holds no token`);
  } catch (error) {
    return misconfigured(`${file}: ${error instanceof Error ? error.message : 'cannot be read'}`);
  }
}
