// Package policy knows what an IAM policy document says: its grammar, and which
// requests it allows. It is pure; it refuses to know where documents are kept,
// whom they are attached to, and how a refusal is told to a client.
//
// Source: IAM user guide, "IAM JSON policy reference".
package policy
