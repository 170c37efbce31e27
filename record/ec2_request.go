package record

// EC2Request says which call made a resource: clients send a call whose answer they have
// not got again, with the same token, and the resource is there once. It is zero where
// the call had no token.
// Source: EC2 API, "Ensuring idempotency".
type EC2Request struct {
	ClientToken   string `json:",omitzero"`
	RequestDigest string `json:",omitzero"` // of all that was in the call
}

// Request is the call that made what embeds it.
func (q EC2Request) Request() EC2Request { return q }
