package ec2

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"

	"fargo/aws"
	"fargo/aws/protocol"
	"fargo/record"
)

// requestOf is a call as its resource keeps it.
func requestOf(token *string, in any) (q record.EC2Request, err error) {
	if aws.Value(token) == "" {
		return q, nil
	}
	text, err := json.Marshal(in)
	if err != nil {
		return q, fmt.Errorf("digest of a request: %w", err)
	}
	sum := sha256.Sum256(text)
	return record.EC2Request{ClientToken: *token, RequestDigest: hex.EncodeToString(sum[:])}, nil
}

// idempotent is a resource that says which call made it.
type idempotent interface {
	Request() record.EC2Request
}

// repeated finds what an earlier call with the same token made; that it was another call
// is an error.
func repeated[T idempotent](q record.EC2Request, all iter.Seq[T]) (found []T, err error) {
	if q.ClientToken == "" {
		return nil, nil
	}
	for resource := range all {
		switch before := resource.Request(); {
		case before.ClientToken != q.ClientToken:
		case before.RequestDigest != q.RequestDigest:
			return nil, protocol.Errorf("IdempotentParameterMismatch", "The request uses the same client token as a previous, but non-identical request.")
		default:
			found = append(found, resource)
		}
	}
	return found, nil
}

// repeatedOne is [repeated] for calls that make one resource; the zero value when there
// is none.
func repeatedOne[T idempotent](q record.EC2Request, all iter.Seq[T]) (one T, err error) {
	found, err := repeated(q, all)
	if len(found) > 0 {
		one = found[0]
	}
	return one, err
}
