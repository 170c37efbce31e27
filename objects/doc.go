// Package objects keeps the contents of S3 objects: files in a directory, each written
// once under a random name and never changed. It refuses to know buckets, keys and who
// may read: which file belongs to what is said by the records in the store, and a file
// that no record names is garbage.
//
// A writer makes a file durable first and commits the record that names it then. So a
// process that is killed leaves at most files without a record, which [Store.Collect]
// removes. Names are never made of what a client says.
package objects
