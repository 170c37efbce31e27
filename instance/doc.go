// Package instance names what one installation of Fargo has on a machine: its data
// directory, its id of four digits, its runtime directory, the paths inside both,
// and the names that carry the id. It reads and writes the small files that the
// commands of one installation leave for each other, and says when a part of the
// data directory has been lost.
//
// It starts nothing, and does not know what is inside the parts: the store, the
// logs, the registry, the node's files.
package instance
