package secretsmanager

import "fargo/api"

// NotActedOn lists the fields that are kept and shown but change nothing yet.
var NotActedOn = []api.Gap{
	{Operation: "CreateSecret", Field: "Type", Why: "secrets that partners of AWS hold are not rotated"},
	{Operation: "CreateSecret", Field: "ForceOverwriteReplicaSecret", Why: "secrets are not replicated; AddReplicaRegions is refused"},
	{Operation: "GetSecretValue", Field: "SecretId", Why: "an ARN with the suffix -AbCdEf, that of AWS's documentation, finds the secret with its name, where AWS finds nothing"},
	{Operation: "UpdateSecret", Field: "Type", Why: "secrets that partners of AWS hold are not rotated"},
}
