package sts

import "fargo/api"

// NotActedOn lists the fields that are kept and shown but change nothing.
var NotActedOn = []api.Gap{
	{Operation: "AssumeRole", Field: "Policy", Why: "kept with the session; policies are not enforced yet"},
	{Operation: "AssumeRole", Field: "PolicyArns", Why: "kept with the session; policies are not enforced yet"},
}
