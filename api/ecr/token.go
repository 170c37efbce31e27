package ecr

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws/ecr"
	"fargo/aws/protocol"
	"fargo/record"
)

// passwordLife is how long a password opens the registry.
// Source: ECR API, GetAuthorizationToken.
const passwordLife = 12 * time.Hour

// user is the user name of every client.
const user = "AWS"

func newKey() []byte {
	key := make([]byte, 32)
	rand.Read(key)
	return key
}

// claims are what a password says; it says them in the clear, and signed.
type claims struct {
	Account        string            `json:"a"`
	Region         string            `json:"r"`
	PrincipalARN   string            `json:"p"`
	PrincipalID    string            `json:"i,omitempty"`
	AccessKeyID    string            `json:"k,omitempty"`
	Role           string            `json:"o,omitempty"`
	Policy         string            `json:"l,omitempty"`
	PolicyARNs     []string          `json:"m,omitempty"`
	Tags           map[string]string `json:"g,omitempty"`
	SourceIdentity string            `json:"s,omitempty"`
	FederatedBy    string            `json:"f,omitempty"`
	Task           string            `json:"t,omitempty"`
	Expires        int64             `json:"e"` // Unix seconds
}

func claimsOf(g record.RegistryGrant, expires time.Time) claims {
	return claims{
		Account: g.Scope.Account, Region: g.Scope.Region, PrincipalARN: g.PrincipalARN, PrincipalID: g.PrincipalID, AccessKeyID: g.AccessKeyID,
		Role: g.Role, Policy: g.SessionPolicy, PolicyARNs: g.SessionPolicyARNs, Tags: g.SessionTags, SourceIdentity: g.SourceIdentity, FederatedBy: g.FederatedBy,
		Task: g.Task, Expires: expires.Unix(),
	}
}

func (c claims) grant() record.RegistryGrant {
	return record.RegistryGrant{
		Scope: fargo.Scope{Account: c.Account, Region: c.Region}, PrincipalARN: c.PrincipalARN, PrincipalID: c.PrincipalID, AccessKeyID: c.AccessKeyID,
		Role: c.Role, SessionPolicy: c.Policy, SessionPolicyARNs: c.PolicyARNs, SessionTags: c.Tags, SourceIdentity: c.SourceIdentity, FederatedBy: c.FederatedBy,
		Task: c.Task,
	}
}

var encoding = base64.RawURLEncoding // no colon: clients split "AWS:<password>" at each

// seal makes a password: the claims and their signature.
func (c claims) seal(key []byte) string {
	body, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and a number
	}
	said := encoding.EncodeToString(body)
	return said + "." + encoding.EncodeToString(sign(key, said))
}

func sign(key []byte, said string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("registry password " + said))
	return h.Sum(nil)
}

// openPassword reads what seal has made; ok is false for anything else.
func openPassword(key []byte, password string) (c claims, ok bool) {
	said, signature, _ := strings.Cut(password, ".")
	mac, err := encoding.DecodeString(signature)
	if err != nil || !hmac.Equal(mac, sign(key, said)) {
		return claims{}, false
	}
	body, err := encoding.DecodeString(said)
	return c, err == nil && json.Unmarshal(body, &c) == nil
}

// Password makes the password that opens the registry for g, for twelve hours
// from the time given; the same for the same arguments. The user name to use it
// with is "AWS".
func (s *Server) Password(g record.RegistryGrant, from time.Time) (password string, expires time.Time) {
	expires = from.Add(passwordLife).Truncate(time.Second)
	return claimsOf(g, expires).seal(s.key), expires
}

// Login finds whom a password was given to.
func (s *Server) Login(_ context.Context, password string) (record.RegistryGrant, error) {
	c, ok := openPassword(s.key, password)
	if !ok {
		return record.RegistryGrant{}, protocol.Errorf("AccessDeniedException", "Your Authorization Token is invalid.")
	}
	if time.Now().Unix() >= c.Expires {
		return record.RegistryGrant{}, protocol.Errorf("AccessDeniedException", "Your authorization token has expired. Reauthenticate and try again.")
	}
	return c.grant(), nil
}

// GetAuthorizationToken gives a password for the registry of the caller's
// account and region, or one for each registry asked for.
func (s *Server) GetAuthorizationToken(ctx context.Context, in *ecr.GetAuthorizationTokenInput) (*ecr.GetAuthorizationTokenOutput, error) {
	call := api.CallFrom(ctx)
	registries := in.RegistryIds
	if len(registries) == 0 {
		registries = []string{call.Account}
	}
	out := new(ecr.GetAuthorizationTokenOutput)
	for _, account := range registries {
		registry := fargo.Scope{Account: account, Region: call.Region}
		grant := record.RegistryGrant{
			Scope: call.Scope(), PrincipalARN: call.PrincipalARN, PrincipalID: call.PrincipalID, AccessKeyID: call.AccessKeyID,
			Role: call.Role, SessionPolicy: call.SessionPolicy, SessionPolicyARNs: call.SessionPolicyARNs, SessionTags: call.SessionTags, SourceIdentity: call.SourceIdentity, FederatedBy: call.FederatedBy,
			Task: call.Task,
		}
		password, expires := s.Password(grant, time.Now())
		out.AuthorizationData = append(out.AuthorizationData, ecr.AuthorizationData{
			AuthorizationToken: new(base64.StdEncoding.EncodeToString([]byte(user + ":" + password))),
			ExpiresAt:          &expires,
			ProxyEndpoint:      new("https://" + fargo.RegistryHost(registry)),
		})
	}
	return out, nil
}
