package sts

import (
	"context"
	"crypto/rand"
	"fmt"

	"fargo/api"
	"fargo/aws/sts"
	"fargo/record"
	"fargo/store"
)

// LoadMessages gives what encodes and decodes the failures of this installation. Its key
// is made at the first start and sealed in the store.
func LoadMessages(ctx context.Context, db *store.DB) (*api.FailureMessages, error) {
	var key []byte
	err := db.Update(ctx, func(tx *store.Tx) error {
		if k, ok := store.FailureMessageKeys.Get(tx, "key"); ok {
			key = k.Key
			return nil
		}
		key = make([]byte, 32)
		rand.Read(key)
		store.FailureMessageKeys.Put(tx, &record.FailureMessageKey{Key: key})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load the key of failure messages: %w", err)
	}
	return api.NewFailureMessages(key)
}

// DecodeAuthorizationMessage implements the operation of that name, for messages about
// requests of the caller's account. They do not expire.
func (s *Server) DecodeAuthorizationMessage(ctx context.Context, in *sts.DecodeAuthorizationMessageInput) (*sts.DecodeAuthorizationMessageOutput, error) {
	decoded, ok := s.messages.Decode(api.CallFrom(ctx).Account, *in.EncodedMessage)
	if !ok {
		return nil, sts.InvalidAuthorizationMessageException("Message is not valid")
	}
	return &sts.DecodeAuthorizationMessageOutput{DecodedMessage: &decoded}, nil
}
