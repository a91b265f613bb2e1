// The whole life of users, groups, policies, keys and roles, by the AWS SDK for JavaScript. Prints what it saw as JSON.
import * as iam from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const config = { endpoint: process.argv[2], region: "us-east-1", maxAttempts: 1 };
const client = new iam.IAMClient(config);
const call = (name, input = {}) => client.send(new iam[`${name}Command`](input));
const failure = async (name, input) => call(name, input).then(() => "nothing", (error) => error.name);
const statement = (action) => JSON.stringify({
  Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: action, Resource: "*" }],
});
const TRUST = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
});
const seen = {};

const caller = await new STSClient(config).send(new GetCallerIdentityCommand({}));
seen.caller = caller.Arn;

const name = { UserName: "jules" };
const { User } = await call("CreateUser", { ...name, Path: "/js/", Tags: [{ Key: "team", Value: "ré d + @x" }] });
await iam.waitUntilUserExists({ client, maxWaitTime: 10 }, name);
seen.user = { arn: User.Arn, date: User.CreateDate instanceof Date, tag: (await call("GetUser", name)).User.Tags[0].Value };
seen.twice = await failure("CreateUser", name);
const { AccessKey } = await call("CreateAccessKey", name);
const own = new STSClient({
  ...config, credentials: { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey },
});
seen.own = (await own.send(new GetCallerIdentityCommand({}))).Arn;

await call("CreateGroup", { GroupName: "scripters" });
await call("AddUserToGroup", { ...name, GroupName: "scripters" });
const { Policy } = await call("CreatePolicy", { PolicyName: "scripts", PolicyDocument: statement("iam:GetUser") });
const of = { PolicyArn: Policy.Arn };
await iam.waitUntilPolicyExists({ client, maxWaitTime: 10 }, of);
await call("CreatePolicyVersion", { ...of, PolicyDocument: statement("iam:ListUsers"), SetAsDefault: true });
await call("AttachGroupPolicy", { GroupName: "scripters", ...of });
await call("PutUserPolicy", { ...name, PolicyName: "inline", PolicyDocument: statement("s3:GetObject") });
const inline = await call("GetUserPolicy", { ...name, PolicyName: "inline" });
seen.document = JSON.parse(decodeURIComponent(inline.PolicyDocument)).Statement[0].Action;
seen.inUse = await failure("DeletePolicy", of);

const role = { RoleName: "js-role" };
await call("CreateRole", { ...role, AssumeRolePolicyDocument: TRUST });
await iam.waitUntilRoleExists({ client, maxWaitTime: 10 }, role);
await call("AttachRolePolicy", { ...role, ...of });
await call("CreateInstanceProfile", { InstanceProfileName: "js-profile" });
await call("AddRoleToInstanceProfile", { ...role, InstanceProfileName: "js-profile" });
seen.profile = (await call("GetInstanceProfile", { InstanceProfileName: "js-profile" })).InstanceProfile.Roles[0].RoleName;

for (let number = 0; number < 5; number += 1) await call("CreateUser", { UserName: `page-${number}` });
seen.pages = [];
for await (const page of iam.paginateListUsers({ client, pageSize: 2 }, { PathPrefix: "/" })) seen.pages.push(page.Users.length);

await call("RemoveRoleFromInstanceProfile", { ...role, InstanceProfileName: "js-profile" });
await call("DeleteInstanceProfile", { InstanceProfileName: "js-profile" });
await call("DetachRolePolicy", { ...role, ...of });
await call("DeleteRole", role);
await call("DeleteUserPolicy", { ...name, PolicyName: "inline" });
await call("DetachGroupPolicy", { GroupName: "scripters", ...of });
await call("DeletePolicyVersion", { ...of, VersionId: "v1" });
await call("DeletePolicy", of);
await call("RemoveUserFromGroup", { ...name, GroupName: "scripters" });
await call("DeleteGroup", { GroupName: "scripters" });
await call("UpdateAccessKey", { ...name, AccessKeyId: AccessKey.AccessKeyId, Status: "Inactive" });
await call("DeleteAccessKey", { ...name, AccessKeyId: AccessKey.AccessKeyId });
await call("DeleteUser", name);
seen.gone = await Promise.all([
  failure("GetUser", name), failure("GetGroup", { GroupName: "scripters" }), failure("GetPolicy", of), failure("GetRole", role),
]);
console.log(JSON.stringify(seen));
