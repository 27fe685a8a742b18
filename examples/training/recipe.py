"""The one training loop of all examples."""

import time

import torch
from torch.nn import functional

from examples.training.binary import clamped_weights


def smoothed_cross_entropy(scores, labels):
    """Return the cross entropy with labels smoothed by 0.05."""
    return functional.cross_entropy(scores, labels, label_smoothing=0.05)


def fit(
    model,
    frames,
    labels,
    *,
    epochs,
    augment=None,
    batch=256,
    learning_rate=0.01,
    loss=smoothed_cross_entropy,
    before_step=None,
):
    """Train `model` in place: Adam, one learning-rate cycle, latent weights kept in [-1, 1].

    Parameters
    ----------
    model : nn.Module
        Takes a batch of frames, returns scores.
    frames : torch.Tensor, float32
        All training frames, first axis counts them.
    labels : torch.Tensor, int64
        Class of each frame.
    epochs : int
        Passes over the data.
    augment : callable, optional
        Batch of frames to batch of frames, applied before each step.
    batch : int
        Frames in a step.
    learning_rate : float
        Peak of the cycle.
    loss : callable
        (scores, labels) to a scalar.
    before_step : callable, optional
        Called with the model and with how much of the training is done, 0 to 1: what an algorithm changes as it goes.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    steps = len(frames) // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=learning_rate, total_steps=epochs * steps)
    latent = clamped_weights(model)
    began = time.monotonic()
    for epoch in range(epochs):
        model.train()
        order = torch.randperm(len(frames))
        total = 0.0
        for step in range(steps):
            chosen = order[step * batch : (step + 1) * batch]
            inputs = frames[chosen] if augment is None else augment(frames[chosen])
            if before_step is not None:
                before_step(model, (epoch * steps + step) / (epochs * steps))
            cost = loss(model(inputs), labels[chosen])
            optimizer.zero_grad()
            cost.backward()
            optimizer.step()
            schedule.step()
            for weight in latent:
                weight.data.clamp_(-1, 1)
            total += cost.item()
        seconds = time.monotonic() - began
        print(f"epoch {epoch + 1}/{epochs}  loss {total / steps:.4f}  {seconds:.0f} s", flush=True)


def accuracy(model, frames, labels, batch=1000):
    """Return the share of `labels`, one a frame or one a pixel, where the highest score (the first of equals) is."""
    model.eval()
    with torch.no_grad():
        hits = sum(
            (model(part).argmax(1) == wanted).sum().item()
            for part, wanted in zip(frames.split(batch), labels.split(batch), strict=True)
        )
    return hits / labels.numel()
