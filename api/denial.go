package api

import (
	"cmp"
	"net/http"
	"strings"

	"fargo"
	"fargo/aws/protocol"
	"fargo/policy"
)

// denials are how services say that a caller lacks a permission, where that is not
// AccessDeniedException with status 400.
// Source: texts of denials in public logs; that of route53 is inferred.
var denials = map[string]denial{
	"ec2":        {code: "UnauthorizedOperation", status: http.StatusForbidden, before: "You are not authorized to perform this operation. ", encoded: true},
	"elbv2":      {code: "AccessDenied", status: http.StatusForbidden},
	"iam":        {code: "AccessDenied", status: http.StatusForbidden, all: true},
	"sts":        {code: "AccessDenied", status: http.StatusForbidden, unexplained: true},
	"cloudwatch": {code: "AccessDenied", status: http.StatusForbidden},
	"route53":    {code: "AccessDenied", status: http.StatusForbidden},
	"s3":         {code: "AccessDenied", status: http.StatusForbidden, quoted: true},
	"scheduler":  {code: "AccessDeniedException", status: http.StatusForbidden},
	"ecs":        {code: "AccessDeniedException", status: http.StatusBadRequest, all: true},
	"ecr":        {code: "AccessDeniedException", status: http.StatusBadRequest, all: true},
}

// denial is how one service says it.
type denial struct {
	code   string
	status int
	before string // a sentence in front
	// all says that an action without resources is told to be on "*"; other services
	// leave that out.
	all bool
	// quoted says that the resource is in quotes.
	quoted bool
	// unexplained says that the policy is not told of what is denied on a resource.
	unexplained bool
	// encoded says that the whole of the failure follows, encoded, for what changes
	// something.
	encoded bool
}

// shownResources are what texts name as the resource of actions that have none, for the
// account and region of a call.
// Source: texts of denials in public logs.
var shownResources = map[string]func(fargo.Scope) string{
	"iam:ListRoles":          func(s fargo.Scope) string { return fargo.Scope{Account: s.Account}.ARN("iam", "role/") },
	"iam:ListUsers":          func(s fargo.Scope) string { return fargo.Scope{Account: s.Account}.ARN("iam", "user/") },
	"ssm:DescribeParameters": func(s fargo.Scope) string { return s.ARN("ssm", "*") },
}

// undecipherable is what follows when a key's policy refuses to decrypt: it does not say
// of which key the ciphertext is.
// Source: texts of denials in public logs.
const undecipherable = " on the resource associated with this ciphertext because the resource does not exist in this Region, " +
	"no resource-based policies allow access, or a resource-based policy explicitly denies access"

// denied is the error for a caller whom policies do not allow what it asks of a service;
// encoded is the encoded message about it, or empty.
// Source: IAM user guide, "Troubleshoot access denied error messages"; of the encoded
// message, texts of denials in public logs.
func denied(call *Call, d policy.Decision, encoded string) error {
	how, known := denials[call.Service]
	if !known {
		how = denial{code: "AccessDeniedException", status: http.StatusBadRequest}
	}
	text := how.before + "User: " + cmp.Or(call.PrincipalARN, call.ServicePrincipal) + " is not authorized to perform: " + d.Action
	if call.Service == "kms" && d.Action == "kms:Decrypt" && d.Kind == policy.ResourceBased {
		text += undecipherable
	} else {
		text += how.resource(call, d) + how.why(d)
	}
	if encoded != "" {
		text += ". Encoded authorization failure message: " + encoded
	}
	return protocol.Errorf(how.code, "%s", text).WithStatus(how.status)
}

// resource is the part of a text that says what the action is on.
func (how denial) resource(call *Call, d policy.Decision) string {
	resource := d.Resource
	switch shown := shownResources[d.Action]; {
	case shown != nil:
		resource = shown(call.Scope())
	case resource == "*" && !how.all:
		return ""
	case how.quoted:
		resource = `"` + resource + `"`
	}
	return " on resource: " + resource
}

func (how denial) why(d policy.Decision) string {
	if how.unexplained && d.Resource != "*" {
		return ""
	}
	return " " + d.Denial()
}

// encodes reports whether a denial comes with an encoded message.
func (how denial) encodes(operation string, d policy.Decision) bool {
	reads := strings.HasPrefix(operation, "Describe") || strings.HasPrefix(operation, "Get")
	return how.encoded && !reads && d.Resource != "*"
}
