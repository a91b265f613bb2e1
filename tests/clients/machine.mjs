// An application on a machine, by the AWS SDK for JavaScript: it is told where to ask, and nothing else. Prints who it is
// by the metadata service and by the container endpoint.
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const [endpoint, agent, tokenFile] = process.argv.slice(2);
const whoAmI = async () => {
  const client = new STSClient({ endpoint, region: "us-east-1", maxAttempts: 1 });
  const { Arn } = await client.send(new GetCallerIdentityCommand({}));
  const { accessKeyId } = await client.config.credentials();
  return [Arn, accessKeyId];
};

process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT = agent;
process.env.AWS_EC2_METADATA_V1_DISABLED = "true";
const imds = await whoAmI();
process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI = `${agent}/credentials`;
process.env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE = tokenFile;
console.log(JSON.stringify({ imds, container: await whoAmI() }));
