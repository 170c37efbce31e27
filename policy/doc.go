// Package policy evaluates IAM policies: it knows the grammar of a document, the
// rules that one must keep when it is written (with IAM's sentence for each that is
// broken), and decides by the policies of a caller and of a resource whether a request
// is allowed, and why. It is pure. It does not know where documents are stored, to whom
// they are attached, which principals there are, or how a denial is reported to a client.
//
// Source: IAM user guide, "IAM JSON policy reference".
package policy
