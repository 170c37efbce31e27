package api

import (
	"fmt"
	"net/http"

	"fargo/aws/protocol"
	"fargo/policy"
)

// denials are how services say that a caller lacks a permission, where that is not
// AccessDeniedException with status 400.
// Source: texts of denials in public logs; that of route53 is inferred.
var denials = map[string]denial{
	"ec2":        {code: "UnauthorizedOperation", status: http.StatusForbidden, before: "You are not authorized to perform this operation. "},
	"elbv2":      {code: "AccessDenied", status: http.StatusForbidden},
	"iam":        {code: "AccessDenied", status: http.StatusForbidden, all: true},
	"sts":        {code: "AccessDenied", status: http.StatusForbidden, all: true, unexplained: true},
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
	// unexplained says that the policy is not told.
	unexplained bool
}

// denied is the error for a caller whom policies do not allow what it asks of a service.
// Source: IAM user guide, "Troubleshoot access denied error messages".
func denied(call *Call, d policy.Decision) error {
	how, known := denials[call.Service]
	if !known {
		how = denial{code: "AccessDeniedException", status: http.StatusBadRequest}
	}
	text := fmt.Sprintf("%sUser: %s is not authorized to perform: %s", how.before, call.PrincipalARN, d.Action)
	if how.all || d.Resource != "*" {
		resource := d.Resource
		if how.quoted {
			resource = `"` + resource + `"`
		}
		text += " on resource: " + resource
	}
	if !how.unexplained {
		text += " " + d.Denial()
	}
	return protocol.Errorf(how.code, "%s", text).WithStatus(how.status)
}
