package sts

import (
	"context"
	"strings"

	"fargo/api"
	"fargo/aws/sts"
	"fargo/record"
	"fargo/store"
)

// GetSessionToken implements the operation of that name.
func (s *Server) GetSessionToken(ctx context.Context, in *sts.GetSessionTokenInput) (*sts.GetSessionTokenOutput, error) {
	c := api.CallFrom(ctx)
	if err := mfa(in.SerialNumber, in.TokenCode); err != nil {
		return nil, err
	}
	if strings.HasPrefix(c.AccessKeyID, "ASIA") {
		return nil, accessDenied("Cannot call GetSessionToken with session credentials")
	}
	var credentials *sts.Credentials
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		credentials = issue(tx, &record.Session{Account: c.Account, PrincipalARN: c.PrincipalARN, PrincipalID: c.PrincipalID},
			seconds(in.DurationSeconds, 12*60*60))
		return nil
	})
	return &sts.GetSessionTokenOutput{Credentials: credentials}, err
}
