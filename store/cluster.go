package store

import "fargo/record"

// Clusters are the ECS clusters, by scope and name.
var Clusters = NewTable("cluster", (*record.Cluster).Key)
