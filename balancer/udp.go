package balancer

func (s *Server) serveUDP(k *socket) { k.udp.Close() }
