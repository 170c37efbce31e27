package api

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"fargo"
	"fargo/desired"
)

// Caller is who sent a request.
type Caller struct {
	// PrincipalARN is "arn:aws:iam::123456789012:user/admin", or
	// "arn:aws:sts::123456789012:assumed-role/web/s1"; empty for an anonymous caller.
	PrincipalARN string
	PrincipalID  string // "AIDA…", "AROA…:s1", as STS shows it
	AccessKeyID  string
	// Role is the ARN, with its path, of the role that a session is of.
	Role string
	// Task is the ARN of the ECS task that was given the session's credentials. Empty for
	// sessions that a caller asked for, also those that a task's code asked for.
	Task string
	// FederatedBy is the ARN of the user whose permissions a federated user has.
	FederatedBy string
	// ServicePrincipal is the AWS service that makes the request for itself:
	// "ecs.amazonaws.com". It has no ARN. Empty for everybody else.
	ServicePrincipal string
	// InvokedBy is the AWS service that makes the request for the principal, with
	// the principal's permissions (aws:ViaAWSService). Empty for direct requests.
	InvokedBy string

	// What AssumeRole was called with, or inherited from the session that called it.
	// The map and the list belong to the session's record and must not be changed.
	SessionPolicy     string   // the text of a document; empty for none
	SessionPolicyARNs []string // managed policies used as session policies
	SessionTags       map[string]string
	SourceIdentity    string
	CredentialsIssued time.Time // of temporary credentials; zero for others

	Client
}

// Client is what a request itself tells of who sent it.
type Client struct {
	SourceAddress netip.Addr // the zero value if it is not known
	// Origin is where in a VPC the request comes from; nil for requests from elsewhere.
	Origin    *desired.Origin
	Secure    bool // whether the connection uses TLS
	UserAgent string
	Referer   string
}

// ClientOf is the client of a request that comes from a place in a VPC, or, with a nil
// origin, from elsewhere.
func ClientOf(r *http.Request, origin *desired.Origin) Client {
	c := Client{Origin: origin, Secure: r.TLS != nil, UserAgent: r.UserAgent(), Referer: r.Referer()}
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		c.SourceAddress = from.Addr().Unmap()
	}
	if origin != nil {
		c.SourceAddress, c.Secure = origin.Client, origin.Secure
	}
	return c
}

type clientKey struct{}

// WithClient is for requests that are not served by the chain, such as the registry's.
func WithClient(ctx context.Context, c Client) context.Context {
	return context.WithValue(ctx, clientKey{}, c)
}

// ClientFrom is the client that [WithClient] has noted. Of others nothing is known.
func ClientFrom(ctx context.Context) Client {
	c, _ := ctx.Value(clientKey{}).(Client)
	return c
}

// CallerKind is a kind of principal, as aws:PrincipalType has it. MFA devices are
// not supported, so no caller has used one.
// Source: IAM user guide, "AWS global condition context keys".
type CallerKind string

// The kinds of callers. For ServiceCaller there is no aws:PrincipalType.
const (
	RootCaller      CallerKind = "Account"
	UserCaller      CallerKind = "User"
	RoleCaller      CallerKind = "AssumedRole"
	FederatedCaller CallerKind = "FederatedUser"
	AnonymousCaller CallerKind = "Anonymous"
	ServiceCaller   CallerKind = "AWSService"
)

// Kind is what the caller is, by its ARN.
func (c *Caller) Kind() CallerKind {
	if c.ServicePrincipal != "" {
		return ServiceCaller
	}
	a, _ := fargo.ParseARN(c.PrincipalARN)
	kind, _, _ := strings.Cut(a.Resource, "/")
	switch kind {
	case "root":
		return RootCaller
	case "user":
		return UserCaller
	case "assumed-role", "role":
		return RoleCaller
	case "federated-user":
		return FederatedCaller
	}
	return AnonymousCaller
}

// PrincipalAccount is the account that the caller belongs to. Empty for a service
// and for an anonymous caller.
func (c *Caller) PrincipalAccount() string {
	a, _ := fargo.ParseARN(c.PrincipalARN)
	return a.Account
}

// UserName is the name of an IAM user, without its path. Empty for other callers.
func (c *Caller) UserName() string {
	if c.Kind() != UserCaller {
		return ""
	}
	a, _ := fargo.ParseARN(c.PrincipalARN)
	return a.Name()
}

// SessionName is the name of a role session (RoleSessionName). Empty for other
// callers.
func (c *Caller) SessionName() string {
	if _, name, ok := strings.Cut(c.PrincipalARN, ":assumed-role/"); ok {
		_, name, _ = strings.Cut(name, "/")
		return name
	}
	return ""
}

// FromThisMachine reports whether a request came over loopback. What is of all accounts is
// told to such clients only.
func FromThisMachine(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && from.Addr().Unmap().IsLoopback()
}
