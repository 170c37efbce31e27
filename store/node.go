package store

import "fargo"

// Nodes are the machines that run tasks, by id.
var Nodes = NewTable("node", (*fargo.Node).Key)
