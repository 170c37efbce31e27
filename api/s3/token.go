package s3

import (
	"encoding/base64"

	"fargo/aws"
)

// sealToken makes a token of the name after which a list goes on.
func sealToken(after string) *string {
	return new(base64.URLEncoding.EncodeToString([]byte(after)))
}

// openToken gives the name in a token; "" when there is no token.
func openToken(name string, token *string) (after string, err error) {
	b, err := base64.URLEncoding.DecodeString(aws.Value(token))
	if err != nil || token != nil && len(b) == 0 {
		return "", invalidArgument(name, aws.Value(token), "The continuation token provided is incorrect")
	}
	return string(b), nil
}
