package iam

import "fargo/api"

// NotActedOn lists the fields that are kept and shown but change nothing.
var NotActedOn = []api.Gap{
	{Operation: "CreateRole", Field: "PermissionsBoundary", Why: "enforced for calls with the credentials that a task was given; for others kept and checked, not enforced yet"},
	{Operation: "PutRolePermissionsBoundary", Field: "PermissionsBoundary", Why: "enforced for calls with the credentials that a task was given; for others kept and checked, not enforced yet"},
	{Operation: "CreateUser", Field: "PermissionsBoundary", Why: "policies are kept and checked, not enforced yet"},
	{Operation: "PutUserPermissionsBoundary", Field: "PermissionsBoundary", Why: "policies are kept and checked, not enforced yet"},
	{Operation: "PutRolePolicy", Field: "PolicyDocument", Why: "enforced for calls with the credentials that a task was given; for others kept and checked, not enforced yet"},
	{Operation: "PutUserPolicy", Field: "PolicyDocument", Why: "policies are kept and checked, not enforced yet"},
	{Operation: "PutGroupPolicy", Field: "PolicyDocument", Why: "policies are kept and checked, not enforced yet"},
	{Operation: "CreatePolicy", Field: "PolicyDocument", Why: "enforced for calls with the credentials that a task was given; for others kept and checked, not enforced yet"},
	{Operation: "CreatePolicyVersion", Field: "PolicyDocument", Why: "enforced for calls with the credentials that a task was given; for others kept and checked, not enforced yet"},
}
