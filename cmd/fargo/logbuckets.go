package main

import (
	"context"

	apielbv2 "fargo/api/elbv2"
	apis3 "fargo/api/s3"
	"fargo/store"
)

// logBuckets is S3 for the logs of load balancers.
type logBuckets struct{ s3 *apis3.Server }

// Takes implements [apielbv2.Buckets].
func (b logBuckets) Takes(r store.Reader, d apielbv2.LogDelivery) bool {
	return b.s3.Takes(r, (*apis3.Delivery)(&d))
}

// Deliver implements [apielbv2.Buckets].
func (b logBuckets) Deliver(ctx context.Context, d apielbv2.LogDelivery, content []byte) error {
	return b.s3.Deliver(ctx, (*apis3.Delivery)(&d), content)
}
