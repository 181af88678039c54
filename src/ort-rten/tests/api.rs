//! What `ort` can ask for: done, or refused with an error. Nothing may crash.

#![allow(clippy::unwrap_used, reason = "a test")]
#![allow(clippy::result_large_err, reason = "ort gives a builder back in its errors")]

mod support;

use half::f16;
use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{OutputSelector, RunOptions, Session};
use ort::value::{Tensor, TensorRef};
use support::*;

fn open(model: &[u8]) -> Session {
    lectern_ort_rten::install();
    Session::builder().unwrap().commit_from_memory(model).unwrap()
}

/// Inputs and outputs of every type that RTen has in another form.
#[test]
fn types_are_as_declared() {
    let cast = |from, to| unary("Cast", from, to, &[int_attribute("to", to)]);
    let mut session = open(&cast(INT64, BOOL));
    assert_eq!(session.inputs()[0].dtype().to_string(), "Tensor<i64>(n)");
    assert_eq!(session.outputs()[0].dtype().to_string(), "Tensor<bool>(n)");
    let outputs = session.run(ort::inputs![Tensor::from_array(([3], vec![0i64, 1, -7])).unwrap()]).unwrap();
    assert_eq!(outputs[0].try_extract_tensor::<bool>().unwrap().1, [false, true, true]);

    let mut session = open(&cast(BOOL, INT64));
    let outputs = session.run(ort::inputs![Tensor::from_array(([2], vec![true, false])).unwrap()]).unwrap();
    assert_eq!(outputs[0].try_extract_tensor::<i64>().unwrap().1, [1, 0]);

    let halves = vec![f16::from_f32(1.5), f16::from_f32(-0.25)];
    let mut session = open(&unary("Neg", FLOAT16, FLOAT16, &[]));
    let outputs = session.run(ort::inputs![Tensor::from_array(([2], halves)).unwrap()]).unwrap();
    let negated = outputs[0].try_extract_tensor::<f16>().unwrap().1;
    assert_eq!(negated, [f16::from_f32(-1.5), f16::from_f32(0.25)]);

    let mut session = open(&unary("Neg", DOUBLE, DOUBLE, &[]));
    let outputs = session.run(ort::inputs![Tensor::from_array(([1], vec![2.5f64])).unwrap()]).unwrap();
    assert_eq!(outputs[0].try_extract_tensor::<f64>().unwrap().1, [-2.5]);

    let mut session = open(&unary("Neg", INT32, INT32, &[]));
    let outputs = session.run(ort::inputs![Tensor::from_array(([1], vec![i32::MAX])).unwrap()]).unwrap();
    assert_eq!(outputs[0].try_extract_tensor::<i32>().unwrap().1, [-i32::MAX]);

    for (code, element) in [(2, "u8"), (3, "i8")] {
        let session = open(&unary("Identity", code, code, &[]));
        assert_eq!(session.inputs()[0].dtype().to_string(), format!("Tensor<{element}>(n)"));
    }
}

#[test]
fn numbers_beyond_32_bits_are_refused() {
    let mut session = open(&unary("Neg", INT64, INT64, &[]));
    let mut run = |value: i64| {
        let outputs = session.run(ort::inputs![Tensor::from_array(([1], vec![value])).unwrap()])?;
        Ok::<i64, ort::Error>(outputs[0].try_extract_tensor::<i64>()?.1[0])
    };
    assert_eq!(run(i64::from(i32::MAX)).unwrap(), -i64::from(i32::MAX));
    let error = run(1 << 31).unwrap_err();
    assert!(error.message().contains("2147483648") && error.message().contains("32 bits"), "{error}");
}

#[test]
fn texts_are_refused() {
    lectern_ort_rten::install();
    let error = Tensor::from_string_array(([1], &["a"][..])).unwrap_err();
    assert!(error.message().contains("texts"), "{error}");
    let error = Session::builder().unwrap().commit_from_memory(&unary("Identity", STRING, STRING, &[]));
    let error = error.unwrap_err();
    assert!(error.message().contains("the input `x` holds texts"), "{error}");
}

#[test]
fn wrong_calls_are_answered() {
    let mut session = open(&unary("Neg", FLOAT, FLOAT, &[]));
    let message = |result: ort::Result<ort::session::SessionOutputs<'_>>| result.unwrap_err().to_string();
    let floats = || Tensor::from_array(([1], vec![1f32])).unwrap();
    assert!(message(session.run(ort::inputs!["z" => floats()])).contains("no input `z`"));
    let ints = Tensor::from_array(([1], vec![1i64])).unwrap();
    assert!(message(session.run(ort::inputs![ints])).contains("is i64[1], the model wants f32[n]"));
    let square = Tensor::from_array(([1, 1], vec![1f32])).unwrap();
    assert!(message(session.run(ort::inputs![square])).contains("is f32[1, 1]"));
    let none: Vec<(&str, Tensor<f32>)> = vec![];
    assert!(message(session.run(none)).contains("the input `x` is missing"));
    let options = RunOptions::new().unwrap().with_outputs(OutputSelector::no_default().with("z"));
    assert!(message(session.run_with_options(ort::inputs![floats()], &options)).contains("no output `z`"));
}

#[test]
fn runs_are_stopped() {
    let mut session = open(&unary("Neg", FLOAT, FLOAT, &[]));
    let mut options = RunOptions::new().unwrap();
    options.set_tag("clause 7").unwrap();
    assert_eq!(options.tag().unwrap(), "clause 7");
    options.terminate().unwrap();
    let input = || ort::inputs![Tensor::from_array(([1], vec![1f32])).unwrap()];
    let error = session.run_with_options(input(), &options).unwrap_err();
    assert_eq!(error.to_string(), "Exiting due to terminate flag being set to true.");
    options.unterminate().unwrap();
    assert!(session.run_with_options(input(), &options).is_ok());
}

#[test]
fn outputs_may_be_prepared() {
    let mut session = open(&unary("Neg", FLOAT, FLOAT, &[]));
    let input = || ort::inputs![Tensor::from_array(([2], vec![1f32, 2.0])).unwrap()];
    let prepared = |len: usize| {
        let tensor = Tensor::<f32>::new(&Allocator::default(), [len]).unwrap();
        RunOptions::new().unwrap().with_outputs(OutputSelector::default().preallocate("y", tensor))
    };
    let options = prepared(2);
    let outputs = session.run_with_options(input(), &options).unwrap();
    assert_eq!(outputs[0].try_extract_tensor::<f32>().unwrap().1, [-1.0, -2.0]);
    drop(outputs);
    let error = session.run_with_options(input(), &prepared(3)).unwrap_err();
    assert!(error.message().contains("prepared for it is f32[3]"), "{error}");
}

#[test]
fn bindings_work() {
    let mut session = open(&unary("Neg", FLOAT, FLOAT, &[]));
    let mut binding = session.create_binding().unwrap();
    binding.bind_input("x", &Tensor::from_array(([2], vec![1f32, 2.0])).unwrap()).unwrap();
    binding.bind_output_to_device("y", &MemoryInfo::default()).unwrap();
    let outputs = session.run_binding(&binding).unwrap();
    assert_eq!(outputs["y"].try_extract_tensor::<f32>().unwrap().1, [-1.0, -2.0]);
    drop(outputs);
    binding.bind_output("y", Tensor::<f32>::new(&Allocator::default(), [2usize]).unwrap()).unwrap();
    assert!(session.run_binding(&binding).is_ok());
    binding.synchronize().unwrap();
    binding.clear();
    assert!(session.run_binding(&binding).is_err());
}

/// `ort` clones tensors by running a model that hands them on.
#[test]
fn tensors_of_every_type_are_cloned() {
    lectern_ort_rten::install();
    let big = Tensor::from_array(([2], vec![i64::MAX, i64::MIN])).unwrap();
    assert_eq!(big.clone().extract_tensor().1, big.extract_tensor().1);
    let short = Tensor::from_array(([3], vec![1u16, 2, 65_535])).unwrap();
    assert_eq!(short.clone().extract_tensor().1, [1, 2, 65_535]);
    let empty = Tensor::<f32>::new(&Allocator::default(), [0usize, 4]).unwrap();
    assert_eq!(&**empty.clone().shape(), [0, 4]);
    let scalar = Tensor::from_array(([0usize; 0], vec![7u64])).unwrap();
    assert_eq!(scalar.clone().extract_tensor().1, [7]);
}

#[test]
fn tensors_are_made_and_looked_at() {
    lectern_ort_rten::install();
    let allocator = Allocator::default();
    let mut tensor = Tensor::<i64>::new(&allocator, [2usize, 3]).unwrap();
    assert_eq!(tensor.extract_tensor().1, [0; 6]);
    tensor[[1, 2]] = 5;
    assert_eq!(tensor[[1, 2]], 5);
    assert_eq!(tensor.extract_tensor().1, [0, 0, 0, 0, 0, 5]);
    assert!(tensor.memory_info().is_cpu_accessible() && tensor.is_tensor());
    assert!(Tensor::<f32>::new(&allocator, [usize::MAX, 4]).is_err());
    assert!(Tensor::<f32>::new(&allocator, [1usize << 50]).is_err());
    let data = [1f32, 2.0];
    let view = TensorRef::from_array_view(([2usize], &data[..])).unwrap();
    assert_eq!(view.extract_tensor().1, data);
}

#[test]
fn memory_is_the_cpus() {
    lectern_ort_rten::install();
    let info = MemoryInfo::default();
    assert_eq!(info.allocation_device(), AllocationDevice::CPU);
    assert_eq!(
        (info.device_id(), info.memory_type(), info.allocator_type()),
        (0, MemoryType::Default, AllocatorType::Device)
    );
    assert_eq!(info, info.clone());
    assert!(MemoryInfo::new(AllocationDevice::CUDA, 0, AllocatorType::Device, MemoryType::Default).is_err());
    let session = open(&unary("Neg", FLOAT, FLOAT, &[]));
    let allocator = Allocator::new(&session, info).unwrap();
    let mut block = allocator.alloc::<u64>(4).unwrap();
    assert!(!block.as_mut_ptr().is_null() && (block.as_ptr() as usize).is_multiple_of(16));
    assert!(Allocator::default().alloc::<u8>(usize::MAX - 64).is_err());
}

#[test]
fn metadata_is_told() {
    let session = open(&unary("Neg", FLOAT, FLOAT, &[]));
    let metadata = session.metadata().unwrap();
    assert_eq!(metadata.producer().as_deref(), Some("tests"));
    assert_eq!((metadata.name().as_deref(), metadata.version()), (Some("graph"), Some(3)));
    assert_eq!(metadata.custom("site").as_deref(), Some("plant 4"));
    assert_eq!((metadata.custom("none"), metadata.custom_keys().unwrap()), (None, vec!["site".to_owned()]));
    assert!(session.overridable_initializers().is_empty());
    assert!(ort::info().contains("RTen"));
}

#[test]
fn a_session_may_be_asked_without_waiting() {
    let mut session = open(&unary("Neg", FLOAT, FLOAT, &[]));
    let options = RunOptions::new().unwrap();
    let input = ort::inputs![Tensor::from_array(([1], vec![3f32])).unwrap()];
    let future = session.run_async(input, &options).unwrap();
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let outputs = loop {
        if let std::task::Poll::Ready(outputs) = future.as_mut().poll(&mut context) {
            break outputs.unwrap();
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    };
    assert_eq!(outputs[0].try_extract_tensor::<f32>().unwrap().1, [-3.0]);
}

#[test]
fn settings_are_taken_or_refused() {
    lectern_ort_rten::install();
    let builder = || Session::builder().unwrap();
    let session = builder()
        .with_intra_threads(1)
        .and_then(|builder| builder.with_inter_threads(2))
        .and_then(|builder| builder.with_parallel_execution(true))
        .and_then(|builder| builder.with_memory_pattern(false))
        .and_then(|builder| builder.with_optimization_level(GraphOptimizationLevel::Disable))
        .and_then(|builder| builder.with_deterministic_compute(true))
        .and_then(|builder| builder.with_execution_providers([ort::ep::CPU::default().build()]))
        .unwrap()
        .clone()
        .commit_from_memory(&unary("Neg", FLOAT, FLOAT, &[]));
    assert!(session.is_ok());
    assert!(builder().with_profiling("profile").is_err());
    assert!(builder().with_optimized_model_path("model").is_err());
    assert!(builder().with_operator_library("library.so").is_err());
    assert!(builder().with_dimension_override("n", 3).is_err());
    let tensor = std::sync::Arc::new(Tensor::from_array(([1], vec![1f32])).unwrap().into_dyn());
    assert!(builder().with_initializer("w", tensor).is_err());
    assert!(ort::operator::OperatorDomain::new("test").is_err());
    assert!(builder().edit_from_memory(&[]).is_err());
    assert!(ort::compiler::ModelCompiler::new(builder()).is_err());
    assert!(ort::session::Adapter::from_memory(&[], None).is_err());
    assert!(ort::ep::CUDA::default().build().downcast_ref::<ort::ep::CUDA>().is_some());
    assert!(ort::environment::GlobalThreadPoolOptions::default().with_intra_threads(2).is_err());
    assert_eq!(ort::environment::Environment::current().unwrap().devices().count(), 0);
}

#[test]
fn loading_is_cancelled_and_limited() {
    lectern_ort_rten::install();
    let model = unary("Neg", FLOAT, FLOAT, &[]);
    let mut builder =
        Session::builder().unwrap().with_config_entry(lectern_ort_rten::LOAD_DEADLINE, "0").unwrap();
    // A small model may be quicker than no time at all.
    if let Err(error) = builder.commit_from_memory(&model) {
        assert!(error.message().contains("was not loaded within"), "{error}");
    }
    let mut builder = Session::builder().unwrap();
    builder.canceler().cancel().unwrap();
    if let Err(error) = builder.commit_from_memory(&model) {
        assert!(error.message().contains("cancelled"), "{error}");
    }
    let missing = Session::builder().unwrap().commit_from_file("no-such-model.onnx");
    assert!(missing.is_err());
}
