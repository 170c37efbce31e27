package cloudtrail

import (
	"strings"

	"fargo"
	"fargo/api"
)

// appendIdentity appends who called.
// Source: CloudTrail user guide, "CloudTrail userIdentity element".
func appendIdentity(o object, c *api.Call) object {
	kind := c.Kind()
	switch kind {
	case api.ServiceCaller:
		return o.text("type", "AWSService").text("invokedBy", c.ServicePrincipal)
	case api.AnonymousCaller:
		return o.text("type", "Unknown")
	}
	o = o.text("type", types[kind]).optional("principalId", c.PrincipalID).text("arn", c.PrincipalARN).
		text("accountId", c.PrincipalAccount()).optional("accessKeyId", c.AccessKeyID).optional("userName", c.UserName())
	if !c.CredentialsIssued.IsZero() || c.Role != "" || c.FederatedBy != "" {
		o = appendSession(o.open("sessionContext"), c).end()
	}
	return o.optional("invokedBy", c.InvokedBy)
}

var types = map[api.CallerKind]string{
	api.RootCaller: "Root", api.UserCaller: "IAMUser", api.RoleCaller: "AssumedRole", api.FederatedCaller: "FederatedUser",
}

// appendSession appends what temporary credentials are of.
func appendSession(o object, c *api.Call) object {
	switch {
	case c.Role != "":
		id, _, _ := strings.Cut(c.PrincipalID, ":")
		o = appendIssuer(o.open("sessionIssuer"), "Role", c.Role, id).end()
	case c.FederatedBy != "":
		o = appendIssuer(o.open("sessionIssuer"), "IAMUser", c.FederatedBy, "").end()
	}
	o = o.optional("sourceIdentity", c.SourceIdentity).open("attributes")
	if !c.CredentialsIssued.IsZero() {
		o = o.time("creationDate", c.CredentialsIssued)
	}
	return o.text("mfaAuthenticated", "false").end()
}

// appendIssuer appends the role or the user that a session is of.
func appendIssuer(o object, kind, arn, id string) object {
	a, _ := fargo.ParseARN(arn)
	return o.text("type", kind).optional("principalId", id).text("arn", arn).text("accountId", a.Account).text("userName", a.Name())
}
