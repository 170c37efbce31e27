package ecr

import "fargo/api"

// NotActedOn lists the fields that are kept and shown but change nothing.
var NotActedOn = []api.Gap{
	{Operation: "CreateRepository", Field: "imageScanningConfiguration", Why: "images are not scanned, and their findings are not found"},
	{Operation: "PutImageScanningConfiguration", Field: "imageScanningConfiguration", Why: "images are not scanned, and their findings are not found"},
	{Operation: "CreateRepository", Field: "encryptionConfiguration", Why: "layers are kept as they came; encrypt the disk"},
	{Operation: "PutAccountSetting", Field: "name BASIC_SCAN_TYPE_VERSION", Why: "images are not scanned"},
	{Operation: "PutAccountSetting", Field: "name REGISTRY_POLICY_SCOPE", Why: "registries have no policies"},
	{Operation: "SetRepositoryPolicy", Field: "policyText", Why: "no account can use another's registry, whatever it says"},
	{Operation: "SetRepositoryPolicy", Field: "force", Why: "a policy that locks its author out is taken without it"},
}
