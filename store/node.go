package store

import "fargo/record"

// Nodes are the machines that run tasks, by id.
var Nodes = NewTable("node", (*record.Node).Key)
