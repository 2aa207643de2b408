//! From files to batches: readers, tokenizers, memory-mapped datasets, samplers and batchers.
