package store

import (
	"iter"

	"fargo/record"
)

// Objects are the S3 objects, in the order of their keys in each bucket.
var Objects = NewTable("objects", (*record.Object).Key)

// ObjectUploads are the multipart uploads that are neither completed nor aborted.
var ObjectUploads = NewTable("object-uploads", (*record.ObjectUpload).Key)

// ObjectParts are the parts of those uploads.
var ObjectParts = NewTable("object-parts", (*record.ObjectPart).Key)

// Parts are the parts of an upload in order.
func Parts(r Reader, upload string) iter.Seq[*record.ObjectPart] {
	return ObjectParts.Prefix(r, upload+"/")
}

// Blobs are all files of contents that records name.
func Blobs(r Reader) iter.Seq[record.Blob] {
	return func(yield func(record.Blob) bool) {
		for o := range Objects.All(r) {
			for _, b := range o.Blobs {
				if !yield(b) {
					return
				}
			}
		}
		for p := range ObjectParts.All(r) {
			if !yield(p.Blob) {
				return
			}
		}
	}
}
