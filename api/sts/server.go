// Package sts implements the operations of AWS STS: who the caller is, and
// temporary credentials. It knows who may assume a role by the role's trust
// policy; it refuses to know what the credentials then allow.
package sts

import (
	"context"
	"time"

	"fargo/api"
	"fargo/aws"
	"fargo/aws/protocol"
	"fargo/aws/sts"
	"fargo/record"
	"fargo/store"
)

// Config is what a Server needs.
type Config struct {
	DB *store.DB
	// Messages are what EC2's encoded failures are decoded by.
	Messages *api.FailureMessages
}

// Server answers the STS operations, from and into the store.
type Server struct {
	db       *store.DB
	messages *api.FailureMessages
}

// New makes a server.
func New(c Config) *Server { return &Server{db: c.DB, messages: c.Messages} }

// GetCallerIdentity implements the operation of that name.
func (s *Server) GetCallerIdentity(ctx context.Context, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	c := api.CallFrom(ctx)
	return &sts.GetCallerIdentityOutput{Account: &c.Account, Arn: &c.PrincipalARN, UserId: &c.PrincipalID}, nil
}

// GetAccessKeyInfo implements the operation of that name, for keys that this
// installation has.
func (s *Server) GetAccessKeyInfo(_ context.Context, in *sts.GetAccessKeyInfoInput) (*sts.GetAccessKeyInfoOutput, error) {
	v := s.db.View()
	if k, ok := store.AccessKeys.Get(v, *in.AccessKeyId); ok {
		return &sts.GetAccessKeyInfoOutput{Account: &k.Account}, nil
	}
	if k, ok := store.Sessions.Get(v, *in.AccessKeyId); ok {
		return &sts.GetAccessKeyInfoOutput{Account: &k.Account}, nil
	}
	return nil, protocol.Errorf("ValidationError", "The access key %s is not known.", *in.AccessKeyId)
}

// issue gives a session new credentials and stores it.
func issue(tx *store.Tx, s *record.Session, lifetime time.Duration) *sts.Credentials {
	store.IssueSession(tx, s, time.Now(), lifetime)
	return &sts.Credentials{AccessKeyId: &s.AccessKeyID, SecretAccessKey: &s.Secret, SessionToken: &s.Token, Expiration: &s.Expires}
}

// mfa refuses what comes with a device: there are none.
func mfa(serial, code *string) error {
	if serial != nil || code != nil {
		return accessDenied("MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.")
	}
	return nil
}

func accessDenied(format string, args ...any) error {
	return protocol.Errorf("AccessDenied", format, args...).WithStatus(403)
}

// seconds is a duration in seconds, or a number of them when it is absent.
func seconds(p *int32, otherwise int32) time.Duration {
	return time.Duration(aws.ValueOr(p, otherwise)) * time.Second
}
