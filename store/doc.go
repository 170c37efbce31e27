// Package store holds the state of the control plane: typed tables in memory,
// behind them a [Journal] that makes every change durable before anybody sees
// it. It knows keys, indexes, transactions and watches; it refuses to know what
// any record means, who may write which field of it, or how a journal keeps its
// contract.
//
// A [DB] leads its journal and writes it. A [Follower] takes over what the leader has
// committed, and only reads.
//
// # Transactions
//
// There is one line of history. [DB.Update] runs functions one after another,
// each on top of all earlier ones; [DB.View] gives the newest durable state, an
// immutable snapshot that costs nothing to take and blocks nobody. What several
// callers write at the same time reaches the journal in one batch (group
// commit), and is seen, and answered for, only when the journal has synced it.
//
// # Records
//
// A record is of package record. It is kept as the pointer that was put and
// must never be changed afterwards: copy, change the copy, put that. In the
// journal a record is its JSON under "table/key", so a field that this program
// does not know is ignored, and one that the record does not have yet is zero.
//
// Tables are declared once, as package variables in the file of their noun:
//
//	var Roles = NewTable("roles", func(r *record.Role) string { return r.Key() })
package store
