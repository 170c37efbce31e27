package page

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"reflect"
)

// sealLength is how many bytes of a token say which question and which key it is
// of. They guard against mistakes, not against forgery: a token shows nothing that
// the list would not.
const sealLength = 9

// Seal makes the token of the page that begins after the item with a key. It is for
// lists that are cut elsewhere; [Of] does it for the others.
func (q Request) Seal(key string) *string {
	return new(base64.RawURLEncoding.EncodeToString(append(q.seal(key), key...)))
}

// Open gives the key in the request's token, empty for the first page.
func (q Request) Open() (key string, err error) {
	if q.token == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(q.token)
	if err != nil || len(b) < sealLength {
		return "", q.rules.BadToken(q.token)
	}
	key = string(b[sealLength:])
	if *q.Seal(key) != q.token {
		return "", q.rules.BadToken(q.token)
	}
	return key, nil
}

// seal is the same for the same operation, parameters and key.
func (q Request) seal(key string) []byte {
	h := sha256.New()
	h.Write(question(q.in))
	h.Write([]byte{0})
	h.Write([]byte(key))
	return h.Sum(nil)[:sealLength]
}

// pageMembers say in an input which page is wanted and how long it may be.
// Source: the paginators of botocore's models (input_token, limit_key).
var pageMembers = []string{"NextToken", "Marker", "MaxResults", "MaxItems", "PageSize", "Limit"}

// question is the text of what an input asks for, whichever page of it. The name of
// its type is that of the operation.
func question(in any) []byte {
	given := reflect.ValueOf(in).Elem()
	asked := reflect.New(given.Type())
	asked.Elem().Set(given)
	for _, name := range pageMembers {
		if member := asked.Elem().FieldByName(name); member.IsValid() {
			member.SetZero()
		}
	}
	text, err := json.Marshal(asked.Interface())
	if err != nil {
		panic(err) // a generated shape, which the store could keep as well
	}
	return append([]byte(given.Type().String()), text...)
}
