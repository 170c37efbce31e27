package ssm

import "fargo/api"

// NotActedOn lists the fields that are kept and shown but change nothing yet.
var NotActedOn = []api.Gap{
	{Operation: "PutParameter", Field: "DataType aws:ec2:image", Why: "the form of the value is checked, and not whether there is such an image"},
	{Operation: "GetParameter", Field: "Name /aws/service/ecs/optimized-ami/…", Why: "names images that nothing can be launched from yet"},
	{Operation: "PutParameter", Field: "Tier", Why: "costs nothing, and the number of parameters is not limited"},
}
