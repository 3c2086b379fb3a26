import { z } from 'zod';
import { httpSettings, secretSetting, urlSetting } from '../http/config.ts';
import {
  type CredentialContext,
  type CredentialSource,
  containerCredentials,
  fixedCredentials,
  instanceCredentials,
  roleCredentials,
  webIdentityCredentials,
} from './credentials.ts';

const arn = z.string().regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/, 'must be the ARN of a role');
const file = z.string().min(1).max(4096);

/** Settings that say where objects go and who sends them. */
export const s3Settings = {
  bucket: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
      'must be 3 to 63 of a-z 0-9 . - and begin and end with a letter or digit',
    )
    .describe('Name of the bucket. It must exist.'),
  region: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be a region such as eu-central-1')
    .describe('Region of the bucket, such as eu-central-1. Servers other than those of AWS mostly want us-east-1.'),
  endpoint: urlSetting('https://minio.example:9000')
    .optional()
    .describe('Address of a server that understands S3, or of a VPC endpoint. Default: AWS, in the region.'),
  path_style: z
    .boolean()
    .optional()
    .describe(
      'Whether the bucket stands in the path of the address (true) or before its host. Default true with endpoint and for names ' +
        'with dots, otherwise false.',
    ),
  access_key_id: z
    .string()
    .regex(/^[\w+=,.@/-]{1,128}$/, 'must be an access key id')
    .optional()
    .describe('Access key id, for example ${env:AWS_ACCESS_KEY_ID}. Default none.'),
  secret_access_key: secretSetting()
    .optional()
    .describe('Secret access key. Default none. Write it as ${env:NAME} or ${file:path}.'),
  session_token: secretSetting()
    .optional()
    .describe('Session token, where the key is a temporary one. Default none. Nothing renews it.'),
  container_credentials_url: urlSetting('http://169.254.170.23/v1/credentials')
    .optional()
    .describe(
      'Where the surroundings of a container give credentials: ${env:AWS_CONTAINER_CREDENTIALS_FULL_URI} with Pod Identity in EKS, ' +
        'http://169.254.170.2${env:AWS_CONTAINER_CREDENTIALS_RELATIVE_URI} in ECS. Default none.',
    ),
  container_token_file: file
    .optional()
    .describe(
      'File with the token for that address: ${env:AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE} in EKS. Default none.',
    ),
  instance_credentials: z
    .boolean()
    .default(false)
    .describe(
      'Whether the role of the EC2 instance that this runs on is used, by version 2 of its metadata service. Default false.',
    ),
  web_identity_token_file: file
    .optional()
    .describe(
      'File with a token that role_arn is taken on with: ${env:AWS_WEB_IDENTITY_TOKEN_FILE} for service accounts in EKS. Default none.',
    ),
  role_arn: arn
    .optional()
    .describe('Role that is taken on with the credentials above. Default none: they are used themselves.'),
  external_id: z
    .string()
    .regex(/^[\w+=,.@:/-]{2,1224}$/, 'takes 2 to 1224 of A-Z a-z 0-9 _ + = , . @ : / -')
    .optional()
    .describe('External id that role_arn asks for. Default none.'),
  sts_url: urlSetting('https://sts.eu-central-1.amazonaws.com')
    .optional()
    .describe('Where roles are taken on. Default: STS of AWS in the region.'),
  metadata_url: urlSetting('http://169.254.169.254')
    .default('http://169.254.169.254')
    .describe('Metadata service of the instance. Default http://169.254.169.254; http://[fd00:ec2::254] over IPv6.'),
  server_side_encryption: z
    .enum(['AES256', 'aws:kms', 'aws:kms:dsse'])
    .optional()
    .describe('Encryption to ask for. Default none: the bucket has its own, at least AES256.'),
  kms_key_id: z
    .string()
    .regex(/^[\w:/-]{1,2048}$/, 'must be the id, alias or ARN of a key')
    .optional()
    .describe('KMS key for aws:kms. Default: that of the bucket, or of AWS.'),
  ...httpSettings,
};

const schema = z.strictObject(s3Settings);
export type S3Config = z.infer<typeof schema>;

type CredentialSettings = Pick<
  S3Config,
  | 'access_key_id'
  | 'secret_access_key'
  | 'session_token'
  | 'container_credentials_url'
  | 'container_token_file'
  | 'web_identity_token_file'
  | 'instance_credentials'
  | 'role_arn'
  | 'external_id'
>;

/** Never shown, in none of the usual forms. */
export function secretsIn({ secret_access_key, session_token }: S3Config): string[] {
  return [secret_access_key, session_token].flatMap((secret) => (secret === undefined ? [] : [secret.reveal()]));
}

/** What the form of each setting cannot say: exactly one kind of credentials, whole. */
export function hasWholeCredentials(config: CredentialSettings): boolean {
  const kinds = [
    config.access_key_id ?? config.secret_access_key ?? config.session_token,
    config.container_credentials_url,
    config.web_identity_token_file,
    config.instance_credentials || undefined,
  ].filter((kind) => kind !== undefined);
  return (
    kinds.length === 1 &&
    (config.access_key_id === undefined) === (config.secret_access_key === undefined) &&
    (config.session_token === undefined || config.access_key_id !== undefined) &&
    (config.web_identity_token_file === undefined || config.role_arn !== undefined) &&
    (config.container_token_file === undefined || config.container_credentials_url !== undefined) &&
    (config.external_id === undefined ||
      (config.role_arn !== undefined && config.web_identity_token_file === undefined))
  );
}

export const credentialsError =
  'needs credentials of one kind: access_key_id and secret_access_key, container_credentials_url, instance_credentials, or ' +
  'web_identity_token_file with role_arn; with the first three also role_arn, and external_id with that';

/** Where the credentials of checked settings come from. */
export function credentialsOf(config: S3Config, context: CredentialContext): CredentialSource {
  const { role_arn: roleArn, external_id: externalId, region } = config;
  const stsUrl = new URL(config.sts_url ?? `https://sts.${region}.${domainOf(region)}`);
  const role = roleArn === undefined ? undefined : { stsUrl, region, roleArn, externalId };
  if (config.web_identity_token_file !== undefined && role !== undefined) {
    return webIdentityCredentials(config.web_identity_token_file, role, context);
  }
  const base = baseOf(config, context);
  return role === undefined ? base : roleCredentials(base, role, context);
}

function baseOf(config: S3Config, context: CredentialContext): CredentialSource {
  const { access_key_id, secret_access_key, session_token, container_credentials_url: containerUrl } = config;
  if (containerUrl !== undefined) {
    return containerCredentials(new URL(containerUrl), config.container_token_file, context);
  }
  if (access_key_id === undefined || secret_access_key === undefined) {
    return instanceCredentials(new URL(config.metadata_url), context);
  }
  return fixedCredentials({
    accessKeyId: access_key_id,
    secretAccessKey: secret_access_key.reveal(),
    ...(session_token !== undefined && { sessionToken: session_token.reveal() }),
  });
}

/** AWS in China has a domain of its own. */
export function domainOf(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
}
