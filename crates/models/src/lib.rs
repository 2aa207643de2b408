//! Transformer and MLP over the fused operations; weight names are Hugging Face's.
