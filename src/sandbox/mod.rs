//! A simulated chain with its node API and a simulated signer, in one process. Knows nothing of the
//! daemon.
