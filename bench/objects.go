package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"
)

// objectSizes are those that are put and read, in bytes.
var objectSizes = []struct {
	name string
	size int
}{{"4 KiB", 4 << 10}, {"1 MiB", 1 << 20}}

// objectRuns is how often an object of each size is put and read.
const objectRuns = 100

// measureObjects puts objects into a bucket of S3 and reads them, one after the other. A
// put is answered when the object is on disk.
func measureObjects(ctx context.Context, f *fixture, r *report) error {
	if _, err := f.object(ctx, http.MethodPut, "/bench-objects", nil); err != nil {
		return err
	}
	var all []series
	for _, of := range objectSizes {
		contents := bytes.Repeat([]byte("0123456789abcdef"), of.size/16)
		put, get := series{name: "S3: PutObject of " + of.name}, series{name: "S3: GetObject of " + of.name}
		err := repeat(ctx, f.counts.warmups+f.counts.least, f.counts.warmups+objectRuns, func(run int) error {
			path := fmt.Sprintf("/bench-objects/%d/%d", of.size, run)
			begun := time.Now()
			if _, err := f.object(ctx, http.MethodPut, path, contents); err != nil {
				return err
			}
			written := time.Now()
			got, err := f.object(ctx, http.MethodGet, path, nil)
			read := time.Now()
			if err == nil && !bytes.Equal(got, contents) {
				err = fmt.Errorf("%s is not what was put", path)
			}
			if err == nil && run >= f.counts.warmups {
				put.add(written.Sub(begun))
				get.add(read.Sub(written))
			}
			return err
		})
		if err != nil {
			return err
		}
		all = append(all, put, get)
	}
	r.latencies = append(r.latencies, all...)
	return nil
}

// object makes a request of S3, by the path.
func (f *fixture) object(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, f.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	answer, err := f.do(r, body, "s3")
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return answer, nil
}
