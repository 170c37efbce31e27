// Package applicationautoscaling implements the operations of Application Auto Scaling.
// It knows the API's names, limits and texts; when and how far something is scaled is
// not for it to know.
package applicationautoscaling

import "fargo/store"

// Config is what a Server needs.
type Config struct {
	DB *store.DB
}

// Server answers the operations of Application Auto Scaling.
type Server struct {
	db *store.DB
}

// New makes a server.
func New(c Config) *Server { return &Server{db: c.DB} }
