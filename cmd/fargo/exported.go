package main

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"fargo/api"
	"fargo/control"
)

// exported serves Prometheus: what is measured, and this process. As the metrics of all
// accounts are in it, only clients on this machine are answered.
func exported(measured *control.Exporter) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(measured, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	metrics := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !api.FromThisMachine(r) {
			http.NotFound(w, r)
			return
		}
		metrics.ServeHTTP(w, r)
	})
}
