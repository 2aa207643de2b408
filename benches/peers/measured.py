"""What every training peer prints of its measured steps, as one line of JSON."""

import json
import resource

import torch


def report(system, args, model, seconds, target_tokens, losses, **more):
    result = {
        "system": system,
        "version": torch.__version__,
        "precision": args.precision,
        "threads": args.threads,
        "parameters": sum(p.numel() for p in model.parameters()),
        "steps": args.steps,
        "seconds": seconds,
        "targetTokens": target_tokens,
        "targetTokensPerSecond": target_tokens / seconds,
        "firstLoss": losses[0],
        "lastLoss": losses[-1],
        "peakMemoryBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        **more,
    }
    print(json.dumps(result))
