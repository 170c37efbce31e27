package store

import (
	"fargo"
	"fargo/record"
)

// Buckets are the S3 buckets of all accounts and regions, by name.
var Buckets = NewTable("buckets", (*record.Bucket).Key, Index[record.Bucket]{
	Name:   "account",
	Values: func(b *record.Bucket) []string { return []string{b.Scope.Account} },
})

// FindObject finds an object in a bucket of an account.
func FindObject(r Reader, s fargo.Scope, bucket, name string) (*record.Object, bool) {
	b, ok := Buckets.Get(r, bucket)
	if !ok || b.Scope.Account != s.Account {
		return nil, false
	}
	return Objects.Get(r, record.ObjectKey(bucket, name))
}
