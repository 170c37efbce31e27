package api

import (
	"strconv"
	"strings"
	"time"

	"fargo"
	"fargo/policy"
	"fargo/record"
)

// conditions gives the values of condition keys for one access of a request. They
// are computed when a policy asks for them.
type conditions struct {
	Query
	caller   *policy.Caller
	endpoint *record.EC2VPCEndpoint // that the request came through; nil for none
	row      Row
	access   *Access
	in       any
}

var _ policy.Context = (*conditions)(nil)

// Values implements [policy.Context].
// Source: IAM user guide, "AWS global condition context keys".
func (c *conditions) Values(key, resource string) []string {
	if values, ok := c.access.Keys[key]; ok {
		return values
	}
	family, name, tagged := strings.Cut(key, "/")
	if tagged {
		return c.tag(family, name, resource)
	}
	values := c.row.values(&c.Query, c.in, key)
	if values == nil && strings.HasPrefix(key, "aws:") {
		return c.global(key, resource)
	}
	if values == nil && c.Actions.Attributes != nil {
		return c.Actions.Attributes(c.State, resource, key)
	}
	return values
}

// tag gives the value of a key that ends in the key of a tag: aws:RequestTag/team.
func (c *conditions) tag(family, name, resource string) []string {
	var tags map[string]string
	switch family {
	case "aws:principaltag":
		tags = c.caller.Tags
	case "aws:requesttag":
		tags = c.row.requestTags(c.in)
	case "aws:resourcetag", c.Actions.Prefix + ":resourcetag":
		if c.Actions.Tags != nil {
			tags = c.Actions.Tags(c.State, resource)
		}
	default:
		return nil
	}
	for key, value := range tags {
		if strings.EqualFold(key, name) {
			return []string{value}
		}
	}
	return nil
}

func (c *conditions) global(key, resource string) []string {
	call := c.Call
	switch key {
	case "aws:requestedregion":
		return some(call.Region)
	case "aws:resourceaccount":
		return some(accountOf(resource, call.Account))
	case "aws:currenttime":
		return []string{time.Now().UTC().Format(time.RFC3339)}
	case "aws:epochtime":
		return []string{strconv.FormatInt(time.Now().Unix(), 10)}
	case "aws:tagkeys":
		var keys []string
		for k := range c.row.requestTags(c.in) {
			keys = append(keys, k)
		}
		return keys
	}
	if key == "aws:principalarn" && c.caller.Role != "" {
		return []string{c.caller.Role} // of a session, its role's
	}
	if values, ok := c.endpointValues(key); ok {
		return values
	}
	if values, ok := call.values(key); ok {
		return values
	}
	return call.Caller.values(key)
}

// values gives the values of keys about the request; known tells whether key is one.
func (c *Call) values(key string) (values []string, known bool) {
	switch key {
	case "aws:securetransport":
		return flag(c.Secure), true
	case "aws:sourceip":
		if !c.SourceAddress.IsValid() || c.InvokedBy != "" || c.ServicePrincipal != "" {
			return nil, true
		}
		return []string{c.SourceAddress.String()}, true
	case "aws:useragent":
		return some(c.UserAgent), true
	case "aws:referer":
		return some(c.Referer), true
	case "aws:viaawsservice":
		return flag(c.InvokedBy != ""), true
	case "aws:calledvia", "aws:calledviafirst", "aws:calledvialast":
		return some(c.InvokedBy), true
	}
	return nil, false
}

// values gives the values of keys about the principal.
func (c *Caller) values(key string) []string {
	switch key {
	case "aws:principalarn":
		return some(c.PrincipalARN)
	case "aws:principalaccount":
		return some(c.PrincipalAccount())
	case "aws:principaltype":
		if c.ServicePrincipal == "" {
			return []string{string(c.Kind())}
		}
	case "aws:principalisawsservice":
		return flag(c.ServicePrincipal != "")
	case "aws:principalservicename":
		return some(c.ServicePrincipal)
	case "aws:userid":
		return some(c.PrincipalID)
	case "aws:username":
		return some(c.UserName())
	case "aws:sourceidentity":
		return some(c.SourceIdentity)
	case "aws:tokenissuetime":
		if !c.CredentialsIssued.IsZero() {
			return []string{c.CredentialsIssued.UTC().Format(time.RFC3339)}
		}
	case "aws:multifactorauthpresent":
		if !c.CredentialsIssued.IsZero() { // long-term keys have no such key
			return flag(false)
		}
	}
	return nil
}

func some(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func flag(b bool) []string { return []string{strconv.FormatBool(b)} }

// accountOf is the account in a resource's ARN, or else the call's.
func accountOf(arn, account string) string {
	if a, ok := fargo.ParseARN(arn); ok && a.Account != "" {
		return a.Account
	}
	return account
}
