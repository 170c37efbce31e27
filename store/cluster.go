package store

import "fargo"

// Clusters are the ECS clusters, by scope and name.
var Clusters = NewTable("cluster", (*fargo.Cluster).Key)
