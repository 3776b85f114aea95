//! An agent that resumes from a checkpoint does what it would have done without the interruption, bit by bit.

use taut::loss::Each;
use taut::prelude::*;
use taut::rl::*;

type Network = (Linear<4, 16>, Relu, Linear<16, 2>);

/// Deep Q-learning with everything that has a state: several steps, priorities, a second network.
struct Agent {
    network: Network,
    target: Network,
    optimizer: Adam,
    environments: Environments<CartPole, 2>,
    rewards: MultiStep<CartPole, 2>,
    memory: ReplayMemory<CartPole>,
    priorities: Priorities,
    rng: taut::Generator,
}

impl Agent {
    fn new(seed: u64) -> Self {
        let mut rng = taut::Generator::new(seed);
        let network = Network::init(&mut rng);
        Agent {
            target: network.clone(),
            network,
            optimizer: Adam::new(AdamConfig::default()),
            environments: Environments::new(seed),
            rewards: MultiStep::new(3, 0.9),
            memory: ReplayMemory::new(64),
            priorities: Priorities::new(64, 0.6),
            rng,
        }
    }

    fn step(&mut self) {
        let seen = self.environments.observations();
        let actions = Discrete::sample(&self.network.forward(seen.clone()), &mut self.rng);
        let step = self.environments.step(&actions);
        let Agent { rewards, memory, priorities, .. } = self;
        rewards.add(&seen, &actions, &step, |transition| priorities.add(memory.add(transition)));
        if memory.is_empty() {
            return;
        }
        let PrioritizedSample { indices, weights } = priorities.sample::<8, _>(0.5, &mut self.rng);
        let batch = memory.gather(&indices);
        let goal = batch.rewards + batch.discounts * self.target.forward(batch.successors).max_axis::<1>();
        let tape = Tape::training(&mut self.rng);
        let values = self.network.forward(tape.trace(batch.observations)).pick::<1>(&Discrete::tensor(&batch.actions));
        priorities.update(&indices, &(goal.clone() - values.detach()).to_array::<[f32; 8]>());
        let loss = (values.huber_with(&goal, 1.0, Each) * weights).mean();
        self.optimizer.step(&mut self.network, &loss.backward());
        self.target.move_towards(&self.network, 0.1);
    }

    fn checkpoint(&self) -> Checkpoint {
        Checkpoint::new()
            .with_model("network", &self.network)
            .with_model("target", &self.target)
            .with_snapshot("optimizer", &self.optimizer.snapshot())
            .with_snapshot("environments", &self.environments.snapshot())
            .with_snapshot("rewards", &self.rewards.snapshot())
            .with_snapshot("memory", &self.memory.snapshot())
            .with_snapshot("priorities", &self.priorities.snapshot())
            .with_generator("rng", &self.rng)
    }

    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), Box<dyn std::error::Error>> {
        checkpoint.restore_model("network", &mut self.network)?;
        checkpoint.restore_model("target", &mut self.target)?;
        self.optimizer.restore(&checkpoint.snapshot("optimizer")?, &self.network)?;
        self.environments.restore(&checkpoint.snapshot("environments")?)?;
        self.rewards.restore(&checkpoint.snapshot("rewards")?)?;
        self.memory.restore(&checkpoint.snapshot("memory")?)?;
        self.priorities.restore(&checkpoint.snapshot("priorities")?)?;
        self.rng = checkpoint.generator("rng")?;
        Ok(())
    }

    /// Everything that can be observed of it.
    fn bits(&self) -> Vec<u32> {
        let mut bits: Vec<u32> = self.environments.observations().iter().map(f32::to_bits).collect();
        bits.extend(self.network.2.weight.value().iter().map(f32::to_bits));
        bits.extend(self.target.0.weight.value().iter().map(f32::to_bits));
        bits
    }
}

#[test]
fn a_resumed_agent_goes_on_bit_by_bit() {
    let folder = std::env::temp_dir().join(format!("taut-test-rl-resume-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("run.safetensors");
    // before the memory is full, and after
    for steps in [1, 20, 150] {
        let mut agent = Agent::new(3);
        (0..steps).for_each(|_| agent.step());
        agent.checkpoint().save(&path).unwrap();
        let mut resumed = Agent::new(99);
        resumed.step();
        resumed.restore(&Checkpoint::load(&path).unwrap()).unwrap();
        for step in 0..100 {
            agent.step();
            resumed.step();
            assert!(agent.bits() == resumed.bits(), "after {steps} steps, {step} later");
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
