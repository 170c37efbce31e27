package ecr

import (
	"encoding/base64"
	"iter"

	"fargo/aws/ecr"
)

// pageSize is how many results a call gives when it is not told.
// Source: ECR API, maxResults of the List and Describe operations.
const pageSize = 100

// page takes one page out of items, which come in the order of their keys:
// those after the key in token, max at most. next is the token for the rest,
// nil at the end.
func page[T any](items iter.Seq[T], key func(T) string, token *string, max *int32) (out []T, next *string, err error) {
	limit := pageSize
	if max != nil {
		limit = int(*max)
	}
	after, err := base64.StdEncoding.DecodeString(text(token))
	if err != nil {
		return nil, nil, ecr.InvalidParameterException("Invalid parameter at 'nextToken' failed to satisfy constraint: 'must be a token of an earlier answer'")
	}
	for item := range items {
		if token != nil && key(item) <= string(after) {
			continue
		}
		if len(out) == limit {
			return out, new(base64.StdEncoding.EncodeToString([]byte(key(out[limit-1])))), nil
		}
		out = append(out, item)
	}
	return out, nil, nil
}
