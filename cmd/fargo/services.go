package main

import (
	apiec2 "fargo/api/ec2"
	apiecr "fargo/api/ecr"
	apiecs "fargo/api/ecs"
	"fargo/aws/ec2"
	"fargo/aws/ecr"
	"fargo/aws/ecs"
	"fargo/logs"
	"fargo/store"
)

// rooms are what the services answer from. With none of them, the services can
// still say what they implement.
type rooms struct {
	db   *store.DB
	logs *logs.Store
	ecr  *apiecr.Server
}

// services are all the AWS services we answer for.
func services(r rooms) []service {
	return []service{
		{&ec2.API, apiec2.New(r.db), nil},
		{&ecr.API, r.ecr, apiecr.NotActedOn},
		{&ecs.API, apiecs.New(apiecs.Config{DB: r.db}), apiecs.NotActedOn},
	}
}

